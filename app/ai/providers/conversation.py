"""Puts the messages of a request in the form the vendors agree on."""

from __future__ import annotations

from app.ai.providers.base import AIRequest, ChatMessage

NOTHING_SAID = "(The conversation begins.)"
GO_ON = "Please go on."


def system_text(request: AIRequest) -> str:
    """All that the system messages say, as one text."""
    return "\n\n".join(message.content for message in request.messages if message.role == "system")


def turns(request: AIRequest) -> list[ChatMessage]:
    """What was said, user and assistant strictly in turn: the user begins and has the last word; nothing is blank."""
    merged: list[ChatMessage] = []
    for message in request.messages:
        if message.role == "system" or not message.content.strip():
            continue
        if merged and merged[-1].role == message.role:
            merged[-1] = ChatMessage(message.role, f"{merged[-1].content}\n\n{message.content}")
        else:
            merged.append(message)
    if not merged or merged[0].role != "user":
        merged.insert(0, ChatMessage("user", NOTHING_SAID))
    if merged[-1].role != "user":
        merged.append(ChatMessage("user", GO_ON))
    return merged
