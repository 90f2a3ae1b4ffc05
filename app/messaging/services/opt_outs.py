"""Who wants no more messages, and who wants them again: consent with its evidence, and nothing left waiting to go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import column, select, table, text, union_all, update

from app.cdp.queries.lists import ids_in, texts_in
from app.cdp.services import consent, merges
from app.cdp.services.consent import ConsentRecord, Statement
from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import ENDED, Campaign, CampaignState, Message, MessageState, MessageThread, Skip
from app.messaging.services import suppressions, tallies
from app.messaging.services.gate import Place
from app.messaging.services.tallies import Shift

STOP, START, CARRIER = "stop", "start", "carrier"
_STOPPED_AT_PROVIDER = 21610  # the provider had a STOP we never heard of
_MADE_BY_MERGES = {"merge", "merge undone", "split"}
_GRANTED, _DENIED = "granted", "denied"
MOST_NUMBERS = 20  # of one person
_identities = table("identities", *map(column, ("tenant_id", "profile_id", "kind", "value")))
_messages: Any = Message.__table__
_campaigns: Any = Campaign.__table__
_threads: Any = MessageThread.__table__
# Said with the very words of the partial indexes, or SQLite would not use them.
_WITH_ADDRESS = text("messages.campaign_id IS NOT NULL AND messages.state <> 'skipped' AND messages.address <> ''")
_OF_PERSON = text("messages.campaign_id IS NOT NULL AND messages.profile_id IS NOT NULL")
_ALONE = text("messages.campaign_id IS NULL AND messages.profile_id IS NOT NULL")
_OF_THREAD = text("messages.thread_id IS NOT NULL")


def withdraw(profile_id: int, channel: str, address: str, evidence: dict[str, Any], at: datetime) -> None:
    """Somebody said STOP: no consent from now on, and whatever waits for them on this channel is skipped."""
    consent.record(profile_id, channel, _DENIED, STOP, evidence, at)
    skip_pending(channel, [address], [profile_id], Skip.STOP, at)


def withdraw_many(statements: Sequence[Statement], addresses: Mapping[str, Sequence[str]], at: datetime) -> None:
    """The carrier said it of many; `addresses` by channel. A fixed number of statements for each channel."""
    if not statements:
        return
    consent.record_many(statements)
    for channel, numbers in addresses.items():
        people = [one.profile_id for one in statements if one.channel == channel]
        skip_pending(channel, numbers, people, Skip.STOP, at)


def give_back(profile_id: int, channel: str, address: str, evidence: dict[str, Any], at: datetime) -> bool:
    """Somebody said START: lifts a STOP and nothing else; False when none was in force."""
    was_remembered = suppressions.lift_stops(channel, [address])  # of somebody with this number who was erased since
    if not is_stopped(profile_id, channel) and not (was_remembered and _is_unasked(profile_id, channel)):
        return False
    consent.record(profile_id, channel, _GRANTED, START, evidence, at)
    return True


def _is_unasked(profile_id: int, channel: str) -> bool:
    return consent.states_of(profile_id)[channel] == "unknown"


def is_denied(profile_id: int, channel: str) -> bool:
    return consent.states_of(profile_id)[channel] == _DENIED


def is_stopped(profile_id: int, channel: str) -> bool:
    """Whether this person withdrew by a message of their own, and not in some other way."""
    if not is_denied(profile_id, channel):
        return False
    last = next((row for row in _said_on(profile_id, channel) if row.state == _DENIED), None)
    return last is not None and _is_stop(last)


def is_news(profile_id: int, channel: str, sid: str) -> bool:
    """Whether the STOP of this provider's id came from somebody who had not said it before; the same whenever asked."""
    said = _said_on(profile_id, channel)
    place = next((n for n, row in enumerate(said) if row.source == STOP and row.evidence.get("sid") == sid), None)
    if place is None:
        return False
    before = next(iter(said[place + 1 :]), None)
    return before is None or before.state != _DENIED or not _is_stop(before)


def _said_on(profile_id: int, channel: str) -> list[ConsentRecord]:
    """What the person or somebody for them said of the channel, newest first."""
    rows = consent.list_records(profile_id)
    return [row for row in rows if row.channel == channel and row.source not in _MADE_BY_MERGES]


def _is_stop(row: ConsentRecord) -> bool:
    return row.source == STOP or (row.source == CARRIER and row.evidence.get("code") == _STOPPED_AT_PROVIDER)


def skip_pending(channel: str, addresses: Iterable[str], profile_ids: Iterable[int], reason: Skip, at: datetime) -> int:
    """Skip what waits on the channel for these numbers and people, of campaigns or not; how many. What is claimed is
    the gate's. Four statements, however many people."""
    rows = db.session.execute(
        select(*(_messages.c[name] for name in ("id", "campaign_id", "variant_id", "reason")))
        .where(
            _messages.c.id.in_(_waiting_ids(channel, sorted(set(addresses)), sorted(set(profile_ids)))),
            _messages.c.channel == channel, _messages.c.state == MessageState.PENDING,
        )
        .order_by(_messages.c.id)
        .with_for_update()
    ).all()  # fmt: skip
    if not rows:
        return 0
    mine = (_messages.c.tenant_id == current_tenant_id()) & _messages.c.id.in_(ids_in(row.id for row in rows))
    values = {"state": MessageState.SKIPPED, "reason": reason, "ended_at": at}
    db.session.execute(update(_messages).where(mine).values(**values))
    pending, skipped = MessageState.PENDING, MessageState.SKIPPED
    tallies.shift(Shift(row.campaign_id, row.variant_id, pending, row.reason, skipped, reason) for row in rows)
    return len(rows)


def _waiting_ids(channel: str, addresses: list[str], profile_ids: list[int]) -> Any:
    tenant_id = current_tenant_id()
    closed = (CampaignState.DRAFT, *ENDED)
    campaigns = select(_campaigns.c.id).where(
        _campaigns.c.tenant_id == tenant_id, _campaigns.c.channel == channel, _campaigns.c.state.not_in(closed)
    )
    talks = select(_threads.c.id).where(
        _threads.c.tenant_id == tenant_id, _threads.c.channel == channel, _threads.c.address.in_(texts_in(addresses))
    )
    mine = select(_messages.c.id).where(_messages.c.tenant_id == tenant_id)
    by_number = mine.where(
        _messages.c.campaign_id.in_(campaigns), _messages.c.address.in_(texts_in(addresses)), _WITH_ADDRESS
    )
    by_person = mine.where(_messages.c.profile_id.in_(ids_in(profile_ids)), _OF_PERSON)
    alone = mine.where(_messages.c.profile_id.in_(ids_in(profile_ids)), _ALONE)
    by_talk = mine.where(_messages.c.thread_id.in_(talks), _OF_THREAD)
    return union_all(by_number, by_person, alone, by_talk)


def lift_remembered(profile_id: int, channel: str) -> list[Place]:
    """Somebody vouched for this person: STOPs remembered of their numbers are lifted. Where their gates open; nowhere
    when the yes is no longer in force, or they are gone."""
    current = merges.current_id(profile_id)
    if current is None or consent.states_of(current)[channel] != _GRANTED:
        return []
    places = places_of(current)
    suppressions.lift_stops(channel, [one.number for one in places])
    return places


def places_of(profile_id: int | None, address: str = "") -> list[Place]:
    """Where the gate is for somebody of the acting tenant: the number they wrote from, and the others they have."""
    tenant_id = current_tenant_id()
    theirs = select(_identities.c.value).where(
        _identities.c.tenant_id == tenant_id, _identities.c.profile_id == profile_id, _identities.c.kind == "phone"
    )
    known = db.session.scalars(theirs.limit(MOST_NUMBERS)).all() if profile_id is not None else []
    return [Place(tenant_id, number) for number in sorted({address, *known} - {""})]
