"""Slack's incoming webhooks. The address is the secret: it is in no message and no log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.core import outbound_post
from app.core.config import get_settings

HOST = "https://hooks.slack.com/"
DEAD = (403, 404, 410)
SECONDS = 10.0
LONGEST_TEXT = 40_000


class SlackFailed(Exception):
    """Slack did not take a message. `is_dead`: the webhook is gone for good. `retry_after` is seconds."""

    def __init__(self, message: str, *, is_dead: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.is_dead = is_dead
        self.retry_after = retry_after


def post(url: str, text: str, blocks: Sequence[dict[str, Any]] | None = None) -> None:
    """Post to a webhook; `text` is what notifications show, and should be escaped where it is not ours.

    Refuses addresses in private networks, unless the settings allow them. Slack takes about a message a second.
    """
    body: dict[str, Any] = {"text": text[:LONGEST_TEXT]}
    if blocks:
        body["blocks"] = list(blocks)
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = outbound_post.post(_address(url), json.dumps(body).encode(), headers, seconds=SECONDS)
    if answer.status == 200:
        return
    if not answer.status:
        raise SlackFailed(f"Slack could not be reached. {answer.error}")
    said = f" and “{answer.text.strip()[:80]}”" if answer.text.strip() and "<" not in answer.text else ""
    words = f"Slack answered with status {answer.status}{said}."
    raise SlackFailed(words, is_dead=answer.status in DEAD, retry_after=_seconds(answer.retry_after))


def escape(text: str) -> str:
    """Text as Slack's markup takes it literally."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _address(url: str) -> str:
    """The webhook, at the address of the settings where one stands in for Slack's."""
    base = get_settings().slack_base_url
    return f"{base.rstrip('/')}/{url.removeprefix(HOST)}" if base and url.startswith(HOST) else url


def _seconds(text: str) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
