"""Messages nobody knows the fate of: a worker died, or the connection did, between handing over and writing it down.

They are looked up at the account that was to send them, by number, sender, words and time. What is found is ours and
was sent; what is not never left and may be sent. So nobody looks too early: `due_at` of a call that ended without an
answer is the end of that call and MESSAGE_DOUBT_SECONDS, in which the provider lists what it took late; a claim that
ran out is older than that whenever its call began (the settings are refused otherwise). Nothing is sent again on a
guess: where the provider has something else to this number from that time, the message stays in doubt and in the end is
given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text, update

from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import db, unit_of_work
from app.core.errors import AppError
from app.core.jobs import enqueue
from app.core.logs import get_logger
from app.core.tenancy import current_tenant_id, platform_scope, tenant_scope
from app.messaging.models import Message, MessageState
from app.messaging.providers.base import Found, MessageProvider, SendFailed
from app.messaging.services import accounts, delivery_claims, look_ups, plans, tallies, troubles
from app.messaging.services.look_ups import Doubt
from app.messaging.services.tallies import Shift

log = get_logger()
JOB = "messaging.reconcile"
AT_ONCE = 200
LONG, STEPS_BACK = timedelta(minutes=5), timedelta(minutes=1)
CLOCKS_DIFFER = timedelta(seconds=5)
UNANSWERED_FOR = timedelta(days=1)  # a provider that cannot say is asked so long
_messages: Any = Message.__table__
_IN_HAND = text("messages.state IN ('claimed', 'unknown')")  # as the index that finds them says it
_S = MessageState


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
    rows = db.session.execute(
        select(_messages)
        .where(
            _IN_HAND,
            _messages.c.tenant_id + 0 == current_tenant_id(),
            _messages.c.state == _S.UNKNOWN,
            _messages.c.due_at <= utc_now(),
        )
        .order_by(_messages.c.due_at, _messages.c.id)
        .limit(AT_ONCE)
    ).all()
    try:
        provider = accounts.provider() if rows else None
    except AppError:
        provider = None
    bodies = _bodies(rows)
    db.session.rollback()
    doubts = []
    for row in rows:
        try:
            doubts.append(Doubt(row, bodies.get(row.id), _ask(provider, row)))
        except SendFailed as error:
            log.warning("look_up_failed", message_id=row.id, reason=error.message)
            if utc_now() - row.claimed_at > UNANSWERED_FOR:
                doubts.append(Doubt(row, None, None))
    with unit_of_work():
        settled = look_ups.settle(doubts)
        _step_back([row.id for row in rows])
    return settled


def _step_back(ids: Sequence[int]) -> None:
    """What stays in doubt for long is asked about less often, so that however many there are, newer ones get a look."""
    now = utc_now()
    still = (_messages.c.id.in_(ids), _messages.c.state == _S.UNKNOWN, _messages.c.claimed_at < now - LONG)
    db.session.execute(update(_messages).where(*still).values(due_at=now + STEPS_BACK))


def _ask(provider: MessageProvider | None, row: Any) -> list[Found] | None:
    """What was sent to its number since the claim by the sender it left from; None where nobody can be asked: there is
    no account, or another one handed it over, or the number is blanked."""
    if provider is None or not row.address or (row.account is not None and row.account != provider.account):
        return None
    return provider.find(row.address, row.sender, row.channel, row.claimed_at - CLOCKS_DIFFER)


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
        except Exception as error:  # one that cannot be read keeps no other from being looked up
            if troubles.is_away(error):
                raise
            log.error("words_not_known", campaign_id=campaign_id, exc_info=error)
            continue
        if plan is not None:
            found |= delivery_claims.words_of(plan, theirs)
    return found
