"""Waiting for an answer that a worker is writing, without holding a database connection."""

from __future__ import annotations

import json
import queue
import time

from app.core.db import find_row, release_connection
from app.core.errors import NotFound, ProviderFailed
from app.core.sse import channel_key
from app.core.sse_hub import Subscription, get_hub
from app.core.tenancy import current_tenant_id
from app.insights.models import ChatTurn, TurnState
from app.insights.services.conversations import LIVE

LONGEST_SECONDS = 110.0
LOOK_SECONDS = 1.0  # how often the database is asked, should the news be lost


class StillAnswering(ProviderFailed):
    """The answer takes longer than a caller can wait; it will be in the history."""

    status, code = 504, "answer_pending"


def wait_for_answer(turn_id: int, user_id: int, *, seconds: float | None = None) -> ChatTurn:
    """The finished turn. Raises StillAnswering after a while, ProviderFailed with what went wrong if it failed."""
    hub = get_hub()
    subscription = hub.subscribe([channel_key(current_tenant_id(), f"user.{user_id}")])
    try:
        turn = _watch(turn_id, subscription, time.monotonic() + (LONGEST_SECONDS if seconds is None else seconds))
    finally:
        hub.unsubscribe(subscription)
    if turn.state == TurnState.FAILED:
        raise ProviderFailed(turn.error or "The answer failed.", retryable=True, chat_history_id=turn.conversation_id)
    return turn


def _watch(turn_id: int, subscription: Subscription, until: float) -> ChatTurn:
    while True:
        turn = find_row(ChatTurn, turn_id)
        release_connection()
        if turn is None:
            raise NotFound("The conversation was deleted while it was being answered.")
        if turn.state not in LIVE:
            return turn
        if time.monotonic() >= until:
            raise StillAnswering(
                "The persona is still answering. The answer will be in the conversation's history.",
                retryable=False,
                chat_history_id=turn.conversation_id,
            )
        _sleep_until_news(turn_id, subscription, min(until, time.monotonic() + LOOK_SECONDS))


def _sleep_until_news(turn_id: int, subscription: Subscription, until: float) -> None:
    while (left := until - time.monotonic()) > 0:
        try:
            item = subscription.queue.get(timeout=left)
        except queue.Empty:
            return
        if item.key == "" or (item.event == "chat_done" and json.loads(item.data)["turn_id"] == turn_id):
            return
