"""One message by itself: a reply by hand, a single send, a test. The same gate and the same record as a campaign's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update

from app.cdp.services import merges
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.errors import AppError
from app.core.jobs import enqueue
from app.core.logs import get_logger
from app.core.tenancy import current_tenant_id, platform_scope, tenant_scope
from app.messaging.models import Message, MessageState, Skip
from app.messaging.providers.base import Outgoing
from app.messaging.services import (
    accounts,
    delivery_people,
    gate,
    opt_outs,
    single_turns,
    suppressions,
    without_account,
)
from app.messaging.services.delivery_claims import PENDING, Ready, last_moment, release
from app.messaging.services.delivery_outcomes import Outcome, record
from app.messaging.services.delivery_reference import callback_url
from app.messaging.services.handing_over import hand_over
from app.messaging.services.plans import sender_pace

log = get_logger()
JOB = "messaging.send_one"
SOON = timedelta(seconds=single_turns.PATIENCE)  # a turn that is waited for, not put off
_messages: Any = Message.__table__


def send_soon(message: Message) -> None:
    """Ask for the sending of a message without a campaign, whose words stand in it; leaves after the commit."""
    enqueue("messaging.send_one", unique_key=f"{JOB}:{message.id}", message_id=message.id)


def send_one(message_id: int) -> None:
    """Hand it over if it waits, or put it off where no account can send it. Run twice it does nothing twice; one that
    nobody knows about is looked up elsewhere."""
    try:
        provider = accounts.provider()
    except AppError as error:
        db.session.rollback()
        with unit_of_work():
            without_account.wait_or_end(_messages.c.id == message_id, error)
        return
    db.session.rollback()
    epoch = gate.epoch()  # before consent is read
    with unit_of_work():
        ready = _claim(message_id, epoch, provider.account)
    if ready is None:
        return
    pace = _pace_of(ready.outgoing)
    db.session.rollback()
    turn = single_turns.take(ready, pace)
    if turn.goes is None:
        with unit_of_work():
            release([ready], single_turns.place(ready, turn.wait_seconds, pace))  # the sweep asks for it again
        return
    if not turn.goes:
        outcome = Outcome(ready, utc_now())
    else:
        outcome = hand_over(provider, ready)
        gate.land(ready.outgoing.channel, [ready.outgoing.to])
    with unit_of_work():
        record([outcome])
        _again(message_id)
        following = single_turns.find_next(ready)
        if following is not None:
            enqueue("messaging.send_one", unique_key=f"{JOB}:{following}", message_id=following)


def _pace_of(outgoing: Outgoing) -> list[gate.Pace]:
    """That of the sender it leaves from; one that was removed meanwhile has none."""
    senders = accounts.list_senders(outgoing.channel)
    return [sender_pace(one) for one in senders if one.address == outgoing.sender]


def _claim(message_id: int, epoch: str, account: str) -> Ready | None:
    """Mark it as ours and make it ready; None when it does not wait any more, or may not leave: then it is skipped."""
    row = db.session.execute(
        update(_messages)
        .where(
            _messages.c.id == message_id,
            _messages.c.tenant_id == current_tenant_id(),
            _messages.c.state == MessageState.PENDING,
            _messages.c.due_at <= utc_now() + SOON,
        )
        .values(state=MessageState.CLAIMED, claim=uuid4().hex, claimed_at=utc_now(), account=account)
        .returning(*_messages.c)
    ).first()
    if row is None:
        return None
    body = row.body or ""
    outgoing = Outgoing(row.channel, row.address, row.sender, body=body, status_callback=callback_url(row.id))
    if row.content:
        outgoing = Outgoing(row.channel, row.address, row.sender, content_sid=row.content["sid"],
                            variables=row.content["variables"], status_callback=callback_url(row.id))  # fmt: skip
    ready = Ready(row.id, row.campaign_id, row.variant_id, row.profile_id, row.claim, row.attempts, row.reason, body,
                  outgoing, epoch, last_moment(row.claimed_at))  # fmt: skip
    refusal = _refusal(row)
    if refusal:
        record([Outcome(ready, utc_now(), skipped_for=refusal)])
        return None
    return ready


def _refusal(row: Any) -> Skip | None:
    """Why it may not leave any more: the person was erased; they, or somebody who had this number and was erased, said
    STOP; of what is no answer to them, they said no in any way."""
    if not row.address or (row.profile_id is not None and merges.current_id(row.profile_id) is None):
        return Skip.GONE
    if suppressions.is_stopped(row.channel, row.address):
        return Skip.STOP
    owner = delivery_people.people_by_number(row.address, row.channel)
    if owner is None or owner.state != "denied":
        return None
    is_answer = row.thread_id is not None and row.content is None
    return Skip.STOP if not is_answer or opt_outs.is_stopped(owner.id, row.channel) else None


def _again(message_id: int) -> None:
    """One that the provider asked to be sent later is asked for again by the sweep, or now when it is due."""
    row = db.session.execute(
        select(_messages.c.state, _messages.c.due_at).where(
            _messages.c.id == message_id, _messages.c.tenant_id == current_tenant_id()
        )
    ).first()
    if row is not None and row.state == MessageState.PENDING and row.due_at <= utc_now() + SOON:
        enqueue("messaging.send_one", unique_key=f"{JOB}:{message_id}:again", message_id=message_id)


def wake_singles() -> None:
    """Ask again for single messages that are due: put off by the provider, or put back by a look-up."""
    with platform_scope():
        rows = db.session.execute(
            select(_messages.c.id, _messages.c.tenant_id)
            .where(_messages.c.campaign_id.is_(None), _messages.c.state == PENDING, _messages.c.due_at <= utc_now())
            .order_by(_messages.c.due_at)
            .limit(200)
        ).all()
        db.session.rollback()
    for message_id, tenant_id in rows:
        with tenant_scope(tenant_id), unit_of_work():
            enqueue("messaging.send_one", unique_key=f"{JOB}:{message_id}", message_id=message_id)
