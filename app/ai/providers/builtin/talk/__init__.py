"""The built-in analyst's conversation: a persona's answers in chat and its part in a panel, from its facts alone."""

from app.ai.providers.builtin.talk.chat import answer_chat
from app.ai.providers.builtin.talk.panel import answer_panel

__all__ = ["answer_chat", "answer_panel"]
