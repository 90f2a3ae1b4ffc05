"""One campaign in one sending worker: a few messages claimed ahead, those in the air, and answers to be written."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from datetime import timedelta
from itertools import islice, takewhile
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import exists, select, update

from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.events import emit
from app.core.logs import get_logger
from app.core.sse import publish
from app.core.tenancy import tenant_scope
from app.messaging.events import CampaignMoved
from app.messaging.models import Campaign, CampaignState, Message
from app.messaging.services import delivery_claims, gate, tallies
from app.messaging.services.delivery_claims import PENDING, Ready
from app.messaging.services.delivery_outcomes import Outcome, record, remedy_of
from app.messaging.services.handing_over import hand_over
from app.messaging.services.plans import Plan, sender_pace
from app.messaging.services.retries import LOOK_BACK

log = get_logger()
AHEAD_SECONDS = 1.0  # how much of its pace a lane claims ahead
MOST_AHEAD = 200
AT_ONCE = 32
WRITE_EVERY = 0.25
WRITE_AT = 100
ASK_AGAIN = 0.5  # how soon a campaign with nothing due is looked at again
CAPS_HELD = 0.05  # and one whose caps another worker asks under: that takes some milliseconds
TELL_EVERY = 1.0
_messages: Any = Message.__table__


class Lane:
    """Everything here runs in the worker's main thread but for `hand_over`."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.ahead: deque[Ready] = deque()
        self.flying: set[Future[Outcome]] = set()
        self.answers: list[Outcome] = []
        self.next_at = self.next_claim_at = self.written_at = self.told_at = 0.0
        self.is_over = self.is_closing = False

    @property
    def is_idle(self) -> bool:
        return not (self.ahead or self.flying or self.answers)

    def top_up(self, now: float) -> None:
        """Claim more when little is left, for as long as the pace allows to send soon."""
        wanted = self._wanted()
        if (
            self.is_over
            or self.is_closing
            or len(self.ahead) > wanted // 2
            or now < self.next_claim_at
            or self.next_at > now + AHEAD_SECONDS
        ):
            return
        try:
            epoch = gate.epoch()  # before consent is read: what the store forgets after that is read anew
        except (RedisError, OSError) as error:
            self._wait_for_the_store(error, now)
            return
        with tenant_scope(self.plan.workspace.tenant_id), unit_of_work():
            ready, looked_at = delivery_claims.claim(self.plan, wanted - len(self.ahead), epoch)
        self.ahead.extend(ready)
        if looked_at is None:
            self.next_claim_at = now + CAPS_HELD
        if looked_at == 0:
            self.next_claim_at = now + ASK_AGAIN
            if self.is_idle:
                self.end_when_done()

    def _wanted(self) -> int:
        paces = [pace.per_second for pace in self.plan.paces if pace.per_second > 0]
        return max(1, min(MOST_AHEAD, int(min(paces) * AHEAD_SECONDS))) if paces else MOST_AHEAD

    def launch(self, pool: Executor, room: int, now: float) -> None:
        """Let at most `room` messages leave that may now. What waited too long goes back and is looked at anew."""
        if self.ahead and self.ahead[0].is_late:
            self.give_back()
        chosen = self._chosen(room)
        if not chosen or self.is_closing or now < self.next_at:
            return
        numbers = [one.outgoing.to for one in chosen]
        try:
            with tenant_scope(self.plan.workspace.tenant_id):
                decision = gate.take(self.plan.paces, self.plan.channel, numbers, chosen[0].epoch)
        except (RedisError, OSError) as error:
            self._wait_for_the_store(error, now)
            return
        if decision.is_lost:
            log.warning("store_lost_what_it_knew", claimed=len(self.ahead))
            self.give_back()
            return
        for ready, goes in zip(chosen, decision.goes, strict=False):
            self.ahead.popleft()
            if goes:
                self.flying.add(pool.submit(hand_over, self.plan.provider, ready))
            else:
                self.answers.append(Outcome(ready, utc_now()))
        self.next_at = now + decision.wait_seconds

    def _chosen(self, room: int) -> list[Ready]:
        """The first that are claimed, all of one epoch."""
        first = islice(self.ahead, min(room, AT_ONCE))
        return list(takewhile(lambda one: one.epoch == self.ahead[0].epoch, first))

    def _wait_for_the_store(self, error: Exception, now: float) -> None:
        log.warning("sending_waits_for_the_store", reason=str(error))
        self.next_at = self.next_claim_at = now + 1.0
        self.give_back()

    def collect(self) -> None:
        """Take the answers that have come, and what they say of the pace."""
        done = {one for one in self.flying if one.done()}
        self.flying -= done
        landed = [one.result() for one in done]
        if not landed:
            return
        self.answers += landed
        with tenant_scope(self.plan.workspace.tenant_id):
            gate.land(self.plan.channel, [one.ready.outgoing.to for one in landed])
            self._slow_down(landed)

    def _slow_down(self, landed: Sequence[Outcome]) -> None:
        """A provider that asks for less gets less, from every worker."""
        waits = [
            one.failure.retry_after or remedy_of(one.failure).retry_delays[0]
            for one in landed
            if one.failure is not None and not one.failure.is_ambiguous and remedy_of(one.failure).retry_delays
        ]
        if waits:
            try:
                gate.hold_back(sender_pace(self.plan.sender), min(max(waits), 60.0))
            except (RedisError, OSError) as error:
                log.warning("gate_not_told", reason=str(error))

    def write(self, now: float, *, at_once: bool = False) -> None:
        """Write the answers, many at a time. What cannot be written stays and is tried again."""
        is_due = at_once or len(self.answers) >= WRITE_AT or now - self.written_at >= WRITE_EVERY
        if not self.answers or not is_due:
            return
        with tenant_scope(self.plan.workspace.tenant_id), unit_of_work():
            record(self.answers)
        self.answers, self.written_at = [], now
        if now - self.told_at >= TELL_EVERY:
            self.told_at = now
            self._tell()

    def _tell(self) -> None:
        data = {"campaign_id": self.plan.campaign_id}
        publish("audience", f"campaign-{self.plan.campaign_id}", data, tenant_id=self.plan.workspace.tenant_id)

    def give_back(self) -> None:
        """Return what was claimed and has not left."""
        if self.ahead:
            with tenant_scope(self.plan.workspace.tenant_id), unit_of_work():
                delivery_claims.release(list(self.ahead))
            self.ahead.clear()

    def end_when_done(self) -> None:
        """Complete the campaign when all of its people have their end: nothing waits, nothing is in doubt."""
        with tenant_scope(self.plan.workspace.tenant_id), unit_of_work():
            self.is_over = complete_if_done(self.plan.campaign_id)


def complete_if_done(campaign_id: int) -> bool:
    """Complete a running campaign whose recipients are frozen and have all left, in the current unit of work; whether
    it is over, which it stays while something of it is tried again."""
    row = db.session.scalars(
        select(Campaign).where(Campaign.id == campaign_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if row is not None and row.state == CampaignState.COMPLETED:
        return True
    if row is None or row.state != CampaignState.RUNNING or row.frozen_at is None or tallies.count_open(campaign_id):
        return False
    row.state, row.completed_at = CampaignState.COMPLETED, utc_now()
    db.session.flush()
    emit(CampaignMoved(row.tenant_id, row.id, row.uuid, row.name, row.state))
    return True


def cancel_some(campaign_id: int, most: int = 20_000) -> int:
    """Cancel messages of a cancelled campaign that still wait, in the current unit of work; how many there were."""
    messages: Any = Message.__table__
    waiting = (
        select(messages.c.id)
        .where(messages.c.campaign_id == campaign_id, messages.c.state == PENDING)
        .order_by(messages.c.due_at, messages.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    gone = db.session.execute(
        update(messages)
        .where(messages.c.id.in_(waiting))
        .values(state="cancelled", ended_at=utc_now())
        .returning(messages.c.variant_id, messages.c.reason)
    ).all()
    tallies.shift(
        tallies.Shift(campaign_id, row.variant_id, "pending", row.reason, "cancelled", row.reason) for row in gone
    )
    return len(gone)


def cancelled_with_rest() -> Any:
    """Cancelled campaigns that still have messages waiting, across tenants: id and tenant. One look into an index for
    each campaign that ended of late."""
    messages: Any = Message.__table__
    campaigns: Any = Campaign.__table__
    since = utc_now() - LOOK_BACK - timedelta(days=7)  # it may have been over for a while when it was cancelled
    rest = exists().where(messages.c.campaign_id == campaigns.c.id, messages.c.state == PENDING)
    return select(campaigns.c.id, campaigns.c.tenant_id).where(
        campaigns.c.state == CampaignState.CANCELLED, campaigns.c.completed_at > since, rest
    )
