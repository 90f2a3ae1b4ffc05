"""What the provider answered, written down: a batch of messages in a fixed number of statements."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update

from app.cdp.queries.lists import ids_in
from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import db
from app.core.logs import get_logger
from app.core.tenancy import current_tenant_id
from app.messaging.models import ENDED, Campaign, MessageState, Skip
from app.messaging.models import Message as _Message
from app.messaging.providers.base import SendFailed, Submitted
from app.messaging.providers.errors import Reaction, Remedy, remedy_for
from app.messaging.services import message_events, tallies
from app.messaging.services.delivery_claims import Ready
from app.messaging.services.receipt_reactions import react
from app.messaging.services.receipt_rules import Fate
from app.messaging.services.tallies import Shift

log = get_logger()
_messages: Any = _Message.__table__
_S = MessageState
_KEEPS_MESSAGE = (Reaction.CONFIGURE, Reaction.RECONNECT, Reaction.STOP, Reaction.PAUSE)
_OURS = (_S.CLAIMED, _S.UNKNOWN)
CHANGED = ("state", "reason", "due_at", "attempts", "claim", "body", "sender", "sid", "segments", "error_code",
           "sent_at", "ended_at")  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What became of handing one message over; neither answer nor failure: it was never handed over, `skipped_for` a
    reason or, `is_late`, because its claim was too old."""

    ready: Ready
    at: datetime
    submitted: Submitted | None = None
    failure: SendFailed | None = None
    is_late: bool = False
    skipped_for: Skip = Skip.STOP


def remedy_of(failure: SendFailed) -> Remedy:
    """What a failure asks for: by its code, where that is not known by the status of the answer."""
    return remedy_for(failure.code, failure.status)


def record(outcomes: Sequence[Outcome]) -> None:
    """Write the outcomes in the current unit of work. A receipt that was faster is not undone."""
    rows = {
        row.id: row
        for row in db.session.execute(
            select(_messages)
            .where(
                _messages.c.tenant_id == current_tenant_id(),
                _messages.c.id.in_(ids_in(one.ready.message_id for one in outcomes)),
            )
            .order_by(_messages.c.id + 0)  # a sum: the ids lead, and locks are taken in one order
            .with_for_update()
        )
    }
    over = _over(outcomes)
    changes: list[dict[str, Any]] = []
    shifts: list[Shift] = []
    facts: list[message_events.Fact] = []
    fates: list[Fate] = []
    for one in outcomes:
        row = rows.get(one.ready.message_id)
        if row is None:
            continue
        values = _taken(one, row) if one.submitted else _refused(one, row, fates, over)
        if values is None:
            continue
        changes.append({name: getattr(row, name) for name in CHANGED} | values | {"of_id": row.id})
        to = (values.get("state", row.state), values.get("reason", row.reason))
        if to != (row.state, row.reason):
            before = (row.campaign_id, row.variant_id, row.state, row.reason)
            shifts.append(Shift(*before, *to, address=row.address, sent_at=values.get("sent_at")))
        if one.submitted and row.profile_id is not None:
            facts.append(_fact(one, row))
    if changes:
        statement = update(_messages).where(_messages.c.id == bindparam("of_id"))
        statement = statement.values({name: bindparam(name) for name in CHANGED})
        db.session.connection().execute(statement, changes)
    tallies.shift(shifts)
    message_events.record(facts)
    react(fates, utc_now())


def _taken(one: Outcome, row: Any) -> dict[str, Any] | None:
    """The provider has it. Said whatever became of the row meanwhile, since it is true."""
    assert one.submitted is not None
    body = _words(one, row)
    told = {
        "sid": one.submitted.sid, "body": body, "sender": one.ready.outgoing.sender,
        "segments": one.submitted.segments, "attempts": row.attempts + 1, "sent_at": row.sent_at or one.at,
    }  # fmt: skip
    if row.sid == one.submitted.sid:  # its first receipt came before our own record
        return told
    if one.submitted.sid in (row.earlier_sids or ()):  # even its last did, and it is to be tried again
        return {"body": body, "attempts": row.attempts + 1}
    if row.sid is not None or (row.claim is not None and row.claim != one.ready.claim):
        log.error("message_was_sent_by_another", message_id=row.id, sid=one.submitted.sid)
        return None
    return told | {"state": _S.QUEUED, "reason": "", "claim": None, "error_code": None}


def _words(one: Outcome, row: Any) -> str | None:
    """What was said to them; nothing where the person was erased while it was in the air."""
    return None if one.ready.profile_id is not None and row.profile_id is None else one.ready.body


def _refused(one: Outcome, row: Any, fates: list[Fate], over: set[int | None]) -> dict[str, Any] | None:
    """The provider did not take it, or nobody knows; None when the row is not ours any more."""
    if row.claim != one.ready.claim or row.state not in _OURS:
        return None
    if one.is_late:
        return {"state": _S.PENDING, "claim": None}
    if one.failure is None:
        return {"state": _S.SKIPPED, "reason": one.skipped_for, "claim": None}
    if one.failure.is_ambiguous:
        doubt = timedelta(seconds=get_settings().message_doubt_seconds)  # counted from the end of the call
        return {"state": _S.UNKNOWN, "reason": "", "error_code": one.failure.code, "attempts": row.attempts + 1,
                "due_at": one.at + doubt}  # fmt: skip
    remedy, attempts = remedy_of(one.failure), row.attempts + 1
    told = {"claim": None, "error_code": one.failure.code, "attempts": attempts, "body": _words(one, row)}
    if attempts <= len(remedy.retry_delays):
        wait = one.failure.retry_after or remedy.retry_delays[attempts - 1] * random.uniform(0.8, 1.2)
        return told | {"state": _S.PENDING, "reason": "", "due_at": one.at + timedelta(seconds=wait)}
    fate = Fate.of(row)
    fate.failures.append((remedy, one.failure.code, ""))
    fates.append(fate)
    if remedy.reaction in _KEEPS_MESSAGE and row.campaign_id not in over:  # it pauses, and nobody is lost by it
        return told | {"state": _S.PENDING, "reason": "", "attempts": row.attempts}
    return told | {"state": _S.FAILED, "reason": str(remedy.error_class), "ended_at": one.at}


def _over(outcomes: Sequence[Outcome]) -> set[int | None]:
    """The campaigns of refused messages that are over: nobody can resume them. None, a message by itself, is one."""
    refused = {one.ready.campaign_id for one in outcomes if one.failure is not None and one.ready.campaign_id}
    over = select(Campaign.id).where(Campaign.id.in_(ids_in(sorted(refused))), Campaign.state.in_(ENDED))
    return {None, *db.session.scalars(over)} if refused else {None}


def _fact(one: Outcome, row: Any) -> message_events.Fact:
    return message_events.fact(
        message_events.SENT, row.profile_id, one.at, str(row.id), channel=row.channel, campaign_id=row.campaign_id,
        message_id=row.id,
    )  # fmt: skip
