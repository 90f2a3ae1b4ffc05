"""Slack's incoming webhooks: one address, answers in plain text."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, request

from app.sandbox import frame
from app.sandbox.faults import Fault

MOST_BLOCKS, LONGEST_TEXT, LONGEST_SECTION = 50, 40_000, 3000
BLOCKS = (
    "section", "divider", "header", "context", "actions", "image", "rich_text", "markdown", "file", "input", "video",
)  # fmt: skip
MAGIC = {
    "INVALID": (403, "invalid_token"),
    "PROHIBITED": (403, "action_prohibited"),
    "GONE": (404, "channel_not_found"),
    "NOUSER": (400, "user_not_found"),
    "ARCHIVED": (410, "channel_is_archived"),
    "NOSERVICE": (404, "no_service"),
    "ROLLUP": (500, "rollup_error"),
}
WORDS = {
    400: "invalid_payload", 403: "invalid_token", 404: "channel_not_found", 410: "channel_is_archived",
    429: "rate_limited", 500: "rollup_error",
}  # fmt: skip


class Refused(Exception):
    """What Slack would not take."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status, self.word = status, word


def service() -> frame.Service:
    """Slack, under `/slack`; the last part of a webhook's address chooses how it goes wrong, by the names in MAGIC."""
    bp = Blueprint("slack", __name__)
    bp.post("/services/<team>/<channel>/<secret>")(post_message)
    bp.register_error_handler(Refused, lambda refused: _text(refused.status, refused.word))
    about = f"Incoming webhooks; an address that ends in {', '.join(MAGIC)} answers with that error"
    return frame.Service("slack", bp, _refuse, about)


def post_message(team: str, channel: str, secret: str) -> Response:
    """Take a message, or say in one word why not."""
    if not (team.startswith("T") and channel.startswith("B")):
        raise Refused(404, "no_team")
    if secret in MAGIC:
        raise Refused(*MAGIC[secret])
    _check(_payload())
    return _text(200, "ok")


def _payload() -> dict[str, Any]:
    """JSON, as the body or as the form field `payload`."""
    raw = request.form.get("payload") or request.get_data(as_text=True)
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refused(400, "invalid_payload") from None
    if not isinstance(body, dict):
        raise Refused(400, "invalid_payload")
    return body


def _check(body: dict[str, Any]) -> None:
    text, blocks = body.get("text"), body.get("blocks")
    if not text and not blocks and not body.get("attachments"):
        raise Refused(400, "no_text")
    if (text is not None and not isinstance(text, str)) or len(text or "") > LONGEST_TEXT:
        raise Refused(400, "invalid_payload")
    if blocks is None:
        return
    if not isinstance(blocks, list) or len(blocks) > MOST_BLOCKS or not all(_is_block(block) for block in blocks):
        raise Refused(400, "invalid_blocks")


def _is_block(block: Any) -> bool:
    if not isinstance(block, dict) or block.get("type") not in BLOCKS:
        return False
    if block["type"] == "section":
        text = block.get("text")
        has_text = isinstance(text, dict) and 0 < len(str(text.get("text") or "")) <= LONGEST_SECTION
        return has_text or (text is None and bool(block.get("fields")))
    if block["type"] == "header":
        text = block.get("text")
        return isinstance(text, dict) and 0 < len(str(text.get("text") or "")) <= 150
    return True


def _refuse(status: int, fault: Fault) -> Response:
    """A fault every service shares, as a word."""
    return _text(
        status, str(fault.params.get("message") or WORDS.get(status, "error")), frame.retry_headers(status, fault)
    )


def _text(status: int, word: str, headers: dict[str, str] | None = None) -> Response:
    return Response(word, status, headers, mimetype="text/html")
