"""Messages nobody knows the fate of: a worker died, or the connection did, between handing over and writing it down.

They are looked up at the provider, by number, sender, words and time. What is found is ours and was sent; what is
not, after a while, never left and may be sent. Nothing is sent again on a guess: where the provider has something else
to this number from that time, the message stays in doubt and in the end is given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select, text, update

from app.cdp.queries.lists import texts_in
from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import db, unit_of_work
from app.core.errors import AppError
from app.core.jobs import enqueue
from app.core.logs import get_logger
from app.core.tenancy import current_tenant_id, platform_scope, tenant_scope
from app.messaging.models import Message, MessageState
from app.messaging.providers.base import Found, SendFailed
from app.messaging.services import accounts, delivery_claims, message_events, plans, tallies
from app.messaging.services.receipt_rules import STATES
from app.messaging.services.tallies import Shift

log = get_logger()
JOB = "messaging.reconcile"
AT_ONCE = 200
CLOCKS_DIFFER = timedelta(seconds=5)
GIVEN_UP_AFTER = timedelta(hours=2)
_messages: Any = Message.__table__
_IN_HAND = text("messages.state IN ('claimed', 'unknown')")  # as the index that finds them says it
_S = MessageState


@dataclass(frozen=True)
class Doubt:
    """A message in doubt, its words where they are known, and what the provider sent to its number since its claim."""

    row: Any
    body: str | None
    found: Sequence[Found]


def mark_lost() -> None:
    """Across tenants: claims whose worker has not written what became of them are in doubt; jobs look them up."""
    expired = utc_now() - timedelta(seconds=get_settings().message_claim_seconds)
    with platform_scope():
        tenants = db.session.scalars(
            select(_messages.c.tenant_id).distinct().where(_IN_HAND, _messages.c.claimed_at < expired)
        ).all()
        db.session.rollback()
    for tenant_id in tenants:
        with tenant_scope(tenant_id), unit_of_work():
            _doubt(expired)
            enqueue("messaging.reconcile", unique_key=JOB)


def _doubt(expired: Any) -> None:
    lost = db.session.execute(
        update(_messages)
        .where(
            _IN_HAND,
            _messages.c.tenant_id + 0 == current_tenant_id(),  # a sum: the index of those in hand leads
            _messages.c.state == _S.CLAIMED,
            _messages.c.claimed_at < expired,
        )
        .values(state=_S.UNKNOWN)
        .returning(_messages.c.campaign_id, _messages.c.variant_id, _messages.c.reason)
    ).all()
    tallies.shift(
        Shift(one.campaign_id, one.variant_id, _S.PENDING, one.reason, _S.UNKNOWN, one.reason) for one in lost
    )


def reconcile() -> int:
    """Look up the acting tenant's messages in doubt; how many were settled. Provider calls with no transaction open."""
    ready_since = utc_now() - timedelta(seconds=get_settings().message_doubt_seconds)
    rows = db.session.execute(
        select(_messages)
        .where(
            _IN_HAND,
            _messages.c.tenant_id + 0 == current_tenant_id(),
            _messages.c.state == _S.UNKNOWN,
            _messages.c.claimed_at < ready_since,
        )
        .order_by(_messages.c.claimed_at)
        .limit(AT_ONCE)
    ).all()
    try:
        provider = accounts.provider() if rows else None
    except AppError:
        provider = None
    bodies = _bodies(rows)
    senders = {channel: [one.address for one in accounts.list_senders(channel)] for channel in ("sms", "whatsapp")}
    db.session.rollback()
    if provider is None:
        return 0
    doubts = []
    for row in rows:
        if not row.address:
            doubts.append(Doubt(row, None, ()))
            continue
        try:
            since = row.claimed_at - CLOCKS_DIFFER
            asked = [row.sender] if row.sender else senders[row.channel]
            found = [one for sender in asked for one in provider.find(row.address, sender, row.channel, since)]
        except SendFailed as error:
            log.warning("look_up_failed", message_id=row.id, reason=error.message)
            continue
        doubts.append(Doubt(row, bodies.get(row.id), found))
    with unit_of_work():
        return _settle(doubts)


def _settle(doubts: Sequence[Doubt]) -> int:
    """Write what was found of those that are still in doubt under the same claim."""
    known = _known_sids([one.sid for doubt in doubts for one in doubt.found])
    settled, facts = 0, []
    for doubt in doubts:
        row = doubt.row
        ours = [one for one in doubt.found if one.sid not in known]
        values = _verdict(row, doubt.body, ours)
        if values is None:
            continue
        known |= {values["sid"]} if values.get("sid") else set()
        changed = db.session.execute(
            update(_messages)
            .where(
                _messages.c.id == row.id, _messages.c.tenant_id == row.tenant_id, _messages.c.state == _S.UNKNOWN,
                _messages.c.claim == bindparam("of_claim"),
            )
            .values(values)
            .returning(_messages.c.id),
            {"of_claim": row.claim},
        ).first()  # fmt: skip
        if changed is None:
            continue
        settled += 1
        to = (values["state"], values.get("reason", ""))
        moved = (_S.UNKNOWN, row.reason, *to)
        tallies.shift([Shift(row.campaign_id, row.variant_id, *moved, address=row.address)])
        if values.get("sid") and row.profile_id is not None:
            facts.append(
                message_events.fact(
                    message_events.SENT, row.profile_id, values["sent_at"], str(row.id), channel=row.channel,
                    campaign_id=row.campaign_id, message_id=row.id,
                )
            )  # fmt: skip
    message_events.record(facts)
    return settled


def _verdict(row: Any, body: str | None, ours: Sequence[Found]) -> dict[str, Any] | None:
    """What the row becomes; None while it stays in doubt."""
    now = utc_now()
    same = [one for one in ours if body is None or not one.body or one.body.strip() == body.strip()]
    if same:
        first = same[-1]  # the oldest since the claim
        state = STATES.get(first.status, _S.QUEUED)
        arrived = {"delivered_at": now} if state in (_S.DELIVERED, _S.READ) else {}
        return arrived | {
            "state": state, "reason": "", "claim": None, "sid": first.sid, "sent_at": first.created_at,
            "segments": first.segments, "attempts": row.attempts + 1, "error_code": first.error_code,
            "body": body or first.body or None, "sender": row.sender or first.sender,
        }  # fmt: skip
    if not row.address:  # the person was erased meanwhile
        return {"state": _S.FAILED, "reason": "gone", "claim": None, "ended_at": now}
    if not ours:
        return {"state": _S.PENDING, "reason": "", "claim": None, "due_at": now}
    if now - row.claimed_at > GIVEN_UP_AFTER:
        return {"state": _S.FAILED, "reason": "unknown", "claim": None, "ended_at": now}
    return None


def _bodies(rows: Sequence[Any]) -> dict[int, str]:
    """The words of each as they were handed over: kept, or put together again. Approved contents have none of ours."""
    found = {row.id: row.body for row in rows if row.body}
    by_campaign: dict[int, list[Any]] = {}
    for row in rows:
        if row.body is None and row.campaign_id is not None:
            by_campaign.setdefault(row.campaign_id, []).append(row)
    for campaign_id, theirs in by_campaign.items():
        try:
            plan = plans.load(campaign_id, only_running=False)
        except AppError:
            continue
        if plan is not None:
            found |= delivery_claims.words_of(plan, theirs)
    return found


def _known_sids(sids: Sequence[str]) -> set[str]:
    """Those that belong to a message of ours already, whichever tenant's."""
    if not sids:
        return set()
    with platform_scope():
        return set(db.session.scalars(select(_messages.c.sid).where(_messages.c.sid.in_(texts_in(sorted(set(sids)))))))
