"""The services the sandbox speaks for, one file each; a new one is named here."""

from __future__ import annotations

from app.sandbox.frame import Service
from app.sandbox.services import anthropic, openai, perplexity, slack, twilio


def all_services() -> list[Service]:
    """One of each, in the order the front page shows them."""
    return [
        anthropic.service(),
        *(openai.service(name) for name in openai.NAMES),
        perplexity.service(),
        twilio.service(),
        slack.service(),
    ]
