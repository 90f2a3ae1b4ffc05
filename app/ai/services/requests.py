"""What other features need to ask a question: the request and the pieces of an answer."""

from app.ai.providers.base import AIRequest, ChatMessage, Citation, Delta, Task

__all__ = ["AIRequest", "ChatMessage", "Citation", "Delta", "Task"]
