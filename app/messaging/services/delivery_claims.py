"""Taking messages to send: marked as ours, looked at once more, and made ready. Short transactions, so many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, literal_column, select, update

from app.cdp.queries.lists import is_sqlite
from app.cdp.services import merges
from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import Message, MessageState, Skip
from app.messaging.providers.base import Outgoing
from app.messaging.services import delivery_caps, delivery_doubles, delivery_people, quiet_hours, tallies
from app.messaging.services.delivery_caps import Room
from app.messaging.services.delivery_people import Figures
from app.messaging.services.delivery_reference import callback_url
from app.messaging.services.plans import Plan, Text
from app.messaging.services.quiet_hours import US_WINDOW
from app.messaging.services.rendering import MissingVariable, PersonRow, values_of
from app.messaging.services.tallies import Shift
from app.messaging.services.whatsapp_content import content_variables

LEAVES_WITHIN = timedelta(seconds=10)  # what is claimed has left by then, or waits for its night to end
ASKED_AGAIN = timedelta(seconds=15)  # longer than another worker has a message in hand
_messages: Any = Message.__table__
PENDING: Any = literal_column("'pending'")  # as the index that finds them says it


@dataclass(frozen=True)
class Ready:
    """A claimed message with everything it takes to hand it over."""

    message_id: int
    campaign_id: int | None
    variant_id: int
    profile_id: int | None
    claim: str
    attempts: int
    was: str  # the reason it stood with while it waited: quiet_hours, or none
    body: str
    outgoing: Outgoing
    epoch: str  # the gate's, as it was before consent was read
    leave_by: datetime  # not handed over later than this: by then somebody may be looking for it

    @property
    def is_late(self) -> bool:
        return utc_now() > self.leave_by


def last_moment(claimed_at: datetime) -> datetime:
    """Until when a claimed message may be handed over: not long after consent was read, and so that its call is over,
    and the provider lists what it took, when the claim runs out and the message is looked up."""
    settings = get_settings()
    seconds = settings.message_claim_seconds - settings.longest_call_seconds - settings.message_doubt_seconds
    return claimed_at + min(LEAVES_WITHIN, timedelta(seconds=seconds))


@dataclass(frozen=True)
class _Verdict:
    """What becomes of a claimed message that is not sent now: skipped for a reason, or held until `due_at`."""

    row: Any
    state: str
    reason: str
    due_at: datetime
    profile_id: int | None


@dataclass(frozen=True)
class _Known:
    """What is known of a batch: messages of people who get another one, whose the numbers are, what counts against
    caps, suppressed numbers, computed traits."""

    doubles: set[int]
    owners: dict[str, int]
    caps: delivery_caps.Counts
    suppressed: dict[str, str]
    figures: Figures


def claim(plan: Plan, most: int, epoch: str) -> tuple[list[Ready], int | None]:
    """Claim up to `most` due messages in the current unit of work; those that may leave, and how many were looked at,
    None while another worker claims under the same caps.

    `epoch` is the gate's, asked for before. Consent, suppressions, caps and quiet hours are looked at again: much may
    have happened since the freezing.
    """
    if not delivery_caps.lock(plan):
        return [], None
    rows = _take(plan, most)
    if not rows:
        return [], 0
    people = delivery_people.people_of(rows, plan.channel)
    known = _known_of(plan, rows, people)
    ready: list[Ready] = []
    verdicts: list[_Verdict] = []
    for row in rows:
        decided = _judge(plan, row, people.get(row.id), known, epoch)
        (ready if isinstance(decided, Ready) else verdicts).append(decided)  # type: ignore[arg-type]
    settle(verdicts, plan.campaign_id)
    return ready, len(rows)


def _take(plan: Plan, most: int) -> list[Any]:
    now = utc_now()
    chosen = (
        select(_messages.c.id)
        .where(
            _messages.c.campaign_id == plan.campaign_id,
            _messages.c.tenant_id == current_tenant_id(),
            _messages.c.state == PENDING,
            _messages.c.due_at <= now,
        )
        .order_by(_messages.c.due_at, _messages.c.id)
        .limit(most)
    )
    if not is_sqlite():
        chosen = chosen.with_for_update(skip_locked=True)
    columns = ("id", "variant_id", "profile_id", "address", "attempts", "reason", "claim", "claimed_at")
    statement = (
        update(_messages)
        .where(_messages.c.id.in_(chosen))
        .values(state=MessageState.CLAIMED, claim=uuid4().hex, claimed_at=now,
                sender=plan.sender.address, account=plan.provider.account)
        .returning(*(_messages.c[name] for name in columns))
    )  # fmt: skip
    return list(db.session.execute(statement))


def _known_of(plan: Plan, rows: Sequence[Any], people: dict[int, Any]) -> _Known:
    owner = merges.owners_of(one.id for one in people.values() if one is not None)
    numbers = [row.address for row in rows]
    return _Known(
        delivery_doubles.doubles_of(plan.campaign_id, owner),
        delivery_people.owners_of(numbers),
        delivery_caps.counts_of(plan, owner),
        delivery_people.suppressed_of(plan.channel, numbers),
        delivery_people.figures_of(plan, people.values()),
    )


def _judge(plan: Plan, row: Any, person: Any, known: _Known, epoch: str) -> Ready | _Verdict:
    now = utc_now()

    def skip(reason: str) -> _Verdict:
        return _Verdict(row, MessageState.SKIPPED, reason, now, row.profile_id)

    if person is None:
        return skip(Skip.GONE)
    if row.id in known.doubles:
        return skip(Skip.DUPLICATE_PERSON)
    if not _is_theirs(row.address, person, known.owners):
        return skip(Skip.NO_PHONE)
    if person.state != "granted":
        return skip(Skip.STOP if person.source in ("stop", "carrier") else Skip.NO_CONSENT)
    if row.address in known.suppressed:
        return skip(known.suppressed[row.address])
    room = known.caps.room(person.id)
    if room is Room.NONE:
        return skip(Skip.CAP_REACHED)
    if room is Room.UNSURE:
        return _Verdict(row, MessageState.PENDING, row.reason, now + ASKED_AGAIN, row.profile_id)
    free_at = _free_at(plan, person.traits, row.address, now)
    if free_at > now:
        return _Verdict(row, MessageState.PENDING, Skip.QUIET_HOURS, free_at, row.profile_id)
    try:
        return make_ready(plan, row, person, known.figures.get(person.id), epoch)
    except MissingVariable:
        return skip(Skip.MISSING_VARIABLE)


def _is_theirs(address: str, person: Any, owners: dict[str, int]) -> bool:
    """Whether the number still leads to the person; one they have besides their newest does as well."""
    owner = owners.get(address)
    return person.phone == address if owner is None else owner == person.id


def _free_at(plan: Plan, traits: Any, address: str, moment: datetime) -> datetime:
    place = quiet_hours.place_of(traits or {}, address, plan.workspace.timezone)
    windows = [plan.quiet, US_WINDOW] if place.is_in_us and plan.keeps_us_hours else [plan.quiet]
    return quiet_hours.first_allowed(moment, LEAVES_WITHIN, place.zones, windows)


def make_ready(plan: Plan, row: Any, person: Any, figures: dict[str, Any] | None, epoch: str = "") -> Ready:
    """The message in its words; raises MissingVariable."""
    text = plan.texts[row.variant_id]
    values = values_of(PersonRow(person.traits or {}, person.name, row.address), plan.workspace.name, figures)
    body = text.compiled.render(values)
    if plan.links is not None and not text.content_sid:
        body = plan.links.rewrite(body, row.id)
    outgoing = make_outgoing(plan.channel, row, plan.sender.address, text, body, values)
    return Ready(row.id, plan.campaign_id, row.variant_id, row.profile_id, row.claim, row.attempts, row.reason,
                 body, outgoing, epoch, last_moment(row.claimed_at))  # fmt: skip


def make_outgoing(channel: str, row: Any, sender: str, text: Text | None, body: str, values: Any) -> Outgoing:
    """What is handed to the provider; an approved content goes by its number and variables."""
    back = callback_url(row.id)
    if text is not None and text.content_sid:
        variables = content_variables(text.compiled, values)
        return Outgoing(channel, row.address, sender, content_sid=text.content_sid, variables=variables,
                        status_callback=back)  # fmt: skip
    return Outgoing(channel, row.address, sender, body=body, status_callback=back)


def words_of(plan: Plan, rows: Sequence[Any]) -> dict[int, str]:
    """The words of messages as they would leave now, by id; those that go by an approved content are left out."""
    people = delivery_people.people_of(rows, plan.channel)
    figures = delivery_people.figures_of(plan, people.values())
    found = {}
    for row in rows:
        person, text = people.get(row.id), plan.texts.get(row.variant_id)
        if person is None or text is None or text.content_sid:
            continue
        try:
            found[row.id] = make_ready(plan, row, person, figures.get(person.id)).body
        except MissingVariable:
            continue
    return found


def settle(verdicts: Sequence[_Verdict], campaign_id: int) -> None:
    """Write what becomes of messages that do not leave now."""
    if not verdicts:
        return
    statement = (
        update(_messages)
        .where(_messages.c.id == bindparam("of_id"))
        .values(state=bindparam("to_state"), reason=bindparam("to_reason"), due_at=bindparam("to_due"), claim=None)
    )
    rows = [
        {"of_id": one.row.id, "to_state": one.state, "to_reason": one.reason, "to_due": one.due_at} for one in verdicts
    ]
    db.session.connection().execute(statement, rows)
    tallies.shift(
        Shift(campaign_id, one.row.variant_id, MessageState.PENDING, one.row.reason, one.state, one.reason)
        for one in verdicts
    )


def release(ready: Sequence[Ready], due_at: datetime | None = None) -> None:
    """Give back what was claimed and not handed over, in the current unit of work; whoever claims it looks anew.
    `due_at`: not before then."""
    if not ready:
        return
    statement = (
        update(_messages)
        .where(
            _messages.c.id == bindparam("of_id"),
            _messages.c.claim == bindparam("of_claim"),
            _messages.c.state == MessageState.CLAIMED,
        )
        .values({"state": MessageState.PENDING, "claim": None} | ({"due_at": due_at} if due_at else {}))
    )
    rows = [{"of_id": one.message_id, "of_claim": one.claim} for one in ready]
    db.session.connection().execute(statement, rows)
