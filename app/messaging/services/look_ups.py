"""What a look-up makes of messages in doubt: one that is found fares as its report would have it, one that is not there
waits again, and whatever stays open too long is given up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select, update

from app.cdp.queries.lists import ids_in, texts_in
from app.core.clock import utc_now
from app.core.db import db
from app.core.tenancy import current_tenant_id, platform_scope
from app.messaging.models import Message, MessageState, Skip
from app.messaging.providers.base import ErrorClass, Found
from app.messaging.providers.errors import remedy_for
from app.messaging.services import message_events, receipts, retries
from app.messaging.services.receipt_rules import STATES, Fate, Report
from app.messaging.services.receipt_rules import settle as apply_report

GIVEN_UP_AFTER = timedelta(hours=2)
_messages: Any = Message.__table__
_STUMBLES = remedy_for(None)  # what is done when the provider stumbles
_ASKED_NOW = (
    update(_messages)
    .where(_messages.c.id == bindparam("of_id"))
    .values({name: bindparam(f"to_{name}") for name in ("body", "sender", "segments", "attempts")})
)


@dataclass(frozen=True)
class Doubt:
    """A message in doubt, its words where they are known, and what the provider sent to its number since its claim:
    None where it cannot be asked."""

    row: Any
    body: str | None
    found: Sequence[Found] | None


@dataclass(frozen=True)
class _Match:
    """A message in doubt that is there after all."""

    fate: Fate
    doubt: Doubt
    found: Found


def settle(doubts: Sequence[Doubt]) -> int:
    """Write what was found of those that are still in doubt under the same claim, in the current unit of work; how
    many were settled. What a found one asks for is done as for a report: a number marked, consent withdrawn."""
    known = _known_sids([one.sid for doubt in doubts for one in doubt.found or ()])
    rows = _still_in_doubt(doubts)
    live = retries.still_open(row.campaign_id for row in rows.values())
    matches, others = [], []
    for doubt in doubts:
        row = rows.get(doubt.row.id)
        if row is None:
            continue
        fate, ours = Fate.of(row), [one for one in doubt.found or () if one.sid not in known]
        match = _find_match(fate, doubt, ours)
        if match is not None:
            known.add(match.found.sid)
            matches.append(match)
            _take_up(match, may_retry=row.campaign_id is None or row.campaign_id in live)
        elif _is_settled(fate, row, is_absent=doubt.found is not None and not ours):
            others.append(fate)
    _note(matches)
    receipts.write([*(one.fate for one in matches), *others])
    return len(matches) + len(others)


def _still_in_doubt(doubts: Sequence[Doubt]) -> dict[int, Any]:
    """Their rows as they are now, locked."""
    claims = {doubt.row.id: doubt.row.claim for doubt in doubts}
    rows = db.session.execute(
        select(_messages)
        .where(
            _messages.c.tenant_id == current_tenant_id(),
            _messages.c.id.in_(ids_in(sorted(claims))),
            _messages.c.state == MessageState.UNKNOWN,
        )
        .order_by(_messages.c.id + 0)  # a sum: the ids lead, and locks are taken in one order
        .with_for_update()
    )
    return {row.id: row for row in rows if row.claim == claims[row.id]}


def _find_match(fate: Fate, doubt: Doubt, ours: Sequence[Found]) -> _Match | None:
    """The oldest since the claim that says the same, and is no earlier try of it."""
    body = (doubt.body or "").strip()
    same = [
        one
        for one in ours
        if one.sid not in fate.earlier_sids and (not body or not one.body or one.body.strip() == body)
    ]
    return _Match(fate, doubt, same[-1]) if same else None


def _take_up(match: _Match, *, may_retry: bool) -> None:
    fate, found = match.fate, match.found
    fate.attempts, fate.sent_at = max(fate.attempts, len(fate.earlier_sids) + 1), found.created_at
    status = found.status if found.status in STATES else "queued"
    apply_report(fate, Report(found.sid, status, found.error_code, utc_now()), may_retry=may_retry)


def _note(matches: Sequence[_Match]) -> None:
    """What a report does not say of those that were found; of an erased person no words."""
    if not matches:
        return
    rows = [
        {
            "of_id": one.fate.id, "to_segments": one.found.segments, "to_attempts": one.fate.attempts,
            "to_sender": one.doubt.row.sender or one.found.sender,
            "to_body": (one.doubt.body or one.found.body or None) if one.fate.address else None,
        }
        for one in matches
    ]  # fmt: skip
    db.session.connection().execute(_ASKED_NOW, rows)
    message_events.record(
        message_events.fact(
            message_events.SENT, one.fate.profile_id, one.found.created_at, str(one.fate.id), channel=one.fate.channel,
            campaign_id=one.fate.campaign_id, message_id=one.fate.id,
        )
        for one in matches
        if one.fate.profile_id is not None
    )  # fmt: skip


def _is_settled(fate: Fate, row: Any, *, is_absent: bool) -> bool:
    """What becomes of one that was not found; False while it stays in doubt."""
    if not row.address:  # the person was erased meanwhile
        return _end(fate, Skip.GONE)
    if is_absent:
        return _again(fate)
    return utc_now() - row.claimed_at > GIVEN_UP_AFTER and _end(fate, ErrorClass.UNKNOWN)


def _again(fate: Fate) -> bool:
    """It never left: it waits again, the longer the oftener the provider stumbled at it, and is given up in the end."""
    if fate.attempts > len(_STUMBLES.retry_delays):
        return _end(fate, _STUMBLES.error_class)
    wait = _STUMBLES.retry_delays[fate.attempts - 1] * random.uniform(0.8, 1.2) if fate.attempts else 0.0
    fate.state, fate.reason, fate.claim, fate.is_changed = MessageState.PENDING, "", None, True
    fate.due_at = utc_now() + timedelta(seconds=wait)
    return True


def _end(fate: Fate, reason: str) -> bool:
    fate.state, fate.reason, fate.claim, fate.is_changed = MessageState.FAILED, str(reason), None, True
    fate.ended_at = utc_now()
    return True


def _known_sids(sids: Sequence[str]) -> set[str]:
    """Those that belong to a message of ours already, whichever tenant's."""
    if not sids:
        return set()
    with platform_scope():
        return set(db.session.scalars(select(_messages.c.sid).where(_messages.c.sid.in_(texts_in(sorted(set(sids)))))))
