"""Consent that stands in a file: what the answers mean, and the statements they become."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.cdp.models import Channel, ConsentValue
from app.cdp.services import ingestion_rows
from app.cdp.services.consent import Statement
from app.cdp.services.ingestion_rows import RowRefused

FIELD, TIME = "consent", "consented_at"
CHANNELS = frozenset(Channel)
ANSWERS: dict[str, ConsentValue | None] = {
    word: state
    for state, words in (
        (ConsentValue.GRANTED, "granted grant yes y true t 1 opt_in optin opted_in in subscribed subscribe start "
                               "unstop on agreed accepted consented allowed"),
        (ConsentValue.DENIED, "denied deny no n false f 0 opt_out optout opted_out out unsubscribed unsubscribe stop "
                              "stopall cancel end quit off withdrawn revoked refused declined blocked"),
        (None, "unknown none null na n_a not_set not_asked pending never_subscribed"),
    )
    for word in words.split()
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """The answers of one row: channel, state, and the value as the file has it; `at` when the file tells."""

    answers: tuple[tuple[str, ConsentValue, str], ...] = ()
    at: datetime | None = None


NOTHING = Said()


def read(raw: dict[str, Any], now: datetime) -> Said:
    """What a row says of consent; an empty cell or "unknown" says nothing. Raises RowRefused for other words."""
    given = raw.get(FIELD)
    if not given:
        return NOTHING
    if not isinstance(given, dict):
        raise RowRefused(FIELD, "must be an object of channel and answer")
    answers = tuple(_answers(given))
    at = ingestion_rows.moment(raw, TIME)
    if at is not None and at > now + ingestion_rows.FUTURE:
        raise RowRefused(TIME, "is in the future")
    return Said(answers, at) if answers else NOTHING


def _answers(given: dict[str, Any]) -> Iterator[tuple[str, ConsentValue, str]]:
    for channel, value in given.items():
        if channel not in CHANNELS:
            raise RowRefused(f"{FIELD}.{channel[:40]}", f"is no channel; there are {', '.join(Channel)}")
        text = str(value).strip() if isinstance(value, str | int | float) else ""
        word = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
        if not word and value is not None and not isinstance(value, str):
            raise RowRefused(f"{FIELD}.{channel}", "must be text, such as yes or no")
        if word and word not in ANSWERS:
            raise RowRefused(f"{FIELD}.{channel}", "is no answer we know: write yes or no, OPT_IN or OPT_OUT")
        state = ANSWERS.get(word)
        if state is not None:
            yield channel, state, text[:60]


def statements(said: Said, profile_id: int, evidence: dict[str, Any], now: datetime) -> list[Statement]:
    """The row's answers as statements of a person. Without a time of its own, a yes yields to a no given before."""
    return [
        Statement(
            profile_id, channel, state, "import", said.at or now, evidence | {"value": value}, yields=said.at is None
        )
        for channel, state, value in said.answers
    ]
