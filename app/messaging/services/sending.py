"""Sending: one loop a worker process carries every running campaign of the installation a little further.

A loop claims a few seconds of each campaign's pace, hands messages over by a pool of threads that keep their
connections, and writes what was answered a batch at a time. It ends after a while, or when other work waits, and asks
for its successor; so no campaign holds a worker, and a killed worker leaves a few claimed messages behind, which are
looked up before anything else happens to them.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from sqlalchemy import and_, exists, or_, select

from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import db, unit_of_work
from app.core.jobs import LIVE, BackgroundJob, JobState, Queue, enqueue, worker_stopping
from app.core.logs import get_logger
from app.core.tenancy import platform_scope, tenant_scope
from app.messaging.models import OPEN, Campaign, CampaignState, Message
from app.messaging.services import plans, troubles
from app.messaging.services.delivery_claims import PENDING
from app.messaging.services.lanes import Lane
from app.messaging.services.retries import LOOK_BACK
from app.messaging.services.troubles import AWAY

log = get_logger()
JOB = "messaging.send"
LOOK_EVERY = 0.5
RENEW_EVERY = 10.0
LOOK_BACK_EVERY = 5.0  # at campaigns that are over, for what is to be tried again
LONGEST = 60.0
SHORTEST = 3.0
IDLE, SETTLED = 1.5, 0.6  # with nothing to send for so long a loop ends, sooner when all campaigns are over
MANY_PER_SECOND = 40.0  # a pace one process keeps without help
_messages: Any = Message.__table__
_campaigns: Any = Campaign.__table__


def wake() -> None:
    """See to it that somebody sends. Called when a campaign starts or goes on, and every few seconds."""
    with platform_scope(), unit_of_work():
        due = select(_campaigns.c.rate_per_second).where(or_(_has_due(), _has_retries()))
        paces = db.session.execute(due).scalars().all()
        if not paces:
            return
        is_much = any(pace == 0 for pace in paces) or sum(paces) > MANY_PER_SECOND
        for lane in range(get_settings().message_lanes if is_much else 1):
            _ask_for(lane)


def _ask_for(lane: int, turn: int = 0, *, is_next: bool = False) -> None:
    """A lane's loop unless one is asked for or runs; its next turn while this one is about to end."""
    keys = [f"None:{JOB}:{lane}:{one}" for one in (0, 1)]
    live = select(BackgroundJob.id).where(BackgroundJob.unique_key.in_(keys), BackgroundJob.state.in_(LIVE))
    if is_next or db.session.scalar(live.limit(1)) is None:
        enqueue("messaging.send", unique_key=f"{JOB}:{lane}:{turn}", lane_id=lane, turn_id=turn)


def _is_due() -> Any:
    return exists().where(
        _messages.c.campaign_id == _campaigns.c.id, _messages.c.state == PENDING, _messages.c.due_at <= utc_now()
    )


def _has_retries() -> Any:
    """Campaigns that are over and have something to be tried again now: one look into an index for each of the last
    days."""
    is_over = _campaigns.c.state == CampaignState.COMPLETED
    return and_(is_over, _campaigns.c.completed_at > utc_now() - LOOK_BACK, _is_due())


def _has_due() -> Any:
    """Campaigns that run and have something to send now, or are being frozen, or only have to be completed."""
    waits = exists().where(_messages.c.campaign_id == _campaigns.c.id, _messages.c.state.in_(OPEN))
    return (_campaigns.c.state == CampaignState.RUNNING) & or_(_is_due(), _campaigns.c.frozen_at.is_(None), ~waits)


class Loop:
    """One turn of sending in this process.

    Lanes give way to other work one after the other: a pace is kept by those that go on meanwhile.
    """

    def __init__(self, lane: int = 0) -> None:
        self.shortest, self.longest = SHORTEST * (1 + lane), LONGEST + SHORTEST * lane
        self.lanes: dict[int, Lane] = {}
        self.loaded_at: dict[int, float] = {}
        self.began = self.busy_at = time.monotonic()
        self.looked_at = self.looked_back_at = self.away_until = 0.0
        self.others_wait = False
        self.threads = get_settings().message_threads

    def run(self) -> bool:
        """Send until nothing is left, others wait, or a while has passed; whether there may be more."""
        with ThreadPoolExecutor(self.threads, thread_name_prefix="send") as pool:
            while not self._is_over():
                now = time.monotonic()
                try:
                    self._turn(pool, now)
                except AWAY as error:
                    log.warning("sending_waits_for_the_database", reason=type(error).__name__)
                    db.session.rollback()
                    time.sleep(0.5)
                time.sleep(self._pause(time.monotonic()))
            self._come_to_rest()
        return bool(self.lanes) and time.monotonic() - self.busy_at < IDLE

    def _is_over(self) -> bool:
        now = time.monotonic()
        lasted = now - self.began
        if worker_stopping.is_set() or lasted > self.longest or (self.others_wait and lasted > self.shortest):
            return True
        is_idle = all(lane.is_idle for lane in self.lanes.values())
        return is_idle and now - self.busy_at > (IDLE if self.lanes else SETTLED)

    def _turn(self, pool: ThreadPoolExecutor, now: float) -> None:
        if now - self.looked_at >= LOOK_EVERY:
            self._look_around(now)
        for lane in list(self.lanes.values()):
            with troubles.of_one(lane.plan.campaign_id, lane.plan.workspace.tenant_id) as trouble:
                self._serve(lane, pool, now)
            if trouble.is_there:
                self._set_aside(lane)

    def _serve(self, lane: Lane, pool: ThreadPoolExecutor, now: float) -> None:
        lane.collect()
        lane.write(now)
        lane.top_up(now)
        lane.launch(pool, self._room(), now)
        if not lane.is_idle:
            self.busy_at = now
        if lane.is_over:
            del self.lanes[lane.plan.campaign_id]

    def _set_aside(self, lane: Lane) -> None:
        """One in trouble is only brought to its end; where that fails too, what it holds is looked up later."""
        if lane.is_closing:
            self.lanes.pop(lane.plan.campaign_id, None)
        lane.is_closing = True

    def _room(self) -> int:
        """How many more may be in the air: a short queue keeps the threads busy."""
        return max(0, self.threads * 2 - sum(len(lane.flying) for lane in self.lanes.values()))

    def _pause(self, now: float) -> float:
        """Until somebody may send again, but no longer than answers should wait: the threads have a short queue, so a
        few milliseconds keep none of them idle."""
        soonest = min((lane.next_at for lane in self.lanes.values() if lane.ahead), default=now + 0.05)
        is_flying = any(lane.flying for lane in self.lanes.values())
        return max(0.004 if is_flying and soonest <= now else 0.0005, min(0.01 if is_flying else 0.05, soonest - now))

    def _look_around(self, now: float) -> None:
        """Which campaigns run: new ones are taken up, those paused or ended are put down, the rest read anew."""
        self.looked_at = now
        due = select(_campaigns.c.id, _campaigns.c.tenant_id).where(self._meant(now))
        with platform_scope():
            rows = db.session.execute(due).all()
            may_send = or_(
                _campaigns.c.state == CampaignState.RUNNING,
                and_(_campaigns.c.state == CampaignState.COMPLETED, _campaigns.c.id.in_(self.lanes)),
            )
            running = set(db.session.scalars(select(_campaigns.c.id).where(may_send)))
            self.others_wait = self._somebody_waits()
            db.session.rollback()
        for campaign_id in [one for one in self.lanes if one not in running]:
            lane = self.lanes[campaign_id]
            with troubles.of_one(campaign_id, lane.plan.workspace.tenant_id) as trouble:
                self._put_down(lane)
            if trouble.is_there:
                self._set_aside(lane)
        for campaign_id, tenant_id in rows:
            known = self.lanes.get(campaign_id)
            if known is None or now - self.loaded_at[campaign_id] > RENEW_EVERY:
                with troubles.of_one(campaign_id, tenant_id):
                    self._take_up(campaign_id, tenant_id, now)

    def _meant(self, now: float) -> Any:
        """What campaigns to ask for: those that are over not at every look, there are many."""
        if now - self.looked_back_at < LOOK_BACK_EVERY:
            return _has_due()
        self.looked_back_at = now
        return or_(_has_due(), _has_retries())

    def _take_up(self, campaign_id: int, tenant_id: int, now: float) -> None:
        with tenant_scope(tenant_id):
            plan = plans.load(campaign_id)
            db.session.rollback()
        if plan is None:
            return
        self.loaded_at[campaign_id] = now
        if campaign_id in self.lanes:
            self.lanes[campaign_id].plan, self.lanes[campaign_id].is_closing = plan, False
        else:
            self.lanes[campaign_id] = Lane(plan)

    def _put_down(self, lane: Lane) -> None:
        """What has not left goes back; what is in the air is waited for."""
        lane.is_closing = True
        lane.give_back()
        lane.collect()
        lane.write(time.monotonic(), at_once=True)
        if lane.is_idle:
            del self.lanes[lane.plan.campaign_id]

    def _somebody_waits(self) -> bool:
        """Whether other work of the queues this process may serve was handed out and is not taken."""
        waiting = select(BackgroundJob.id).where(
            BackgroundJob.state == JobState.QUEUED,
            BackgroundJob.run_after <= utc_now(),
            BackgroundJob.queue.in_((Queue.CRITICAL, Queue.DEFAULT, Queue.BULK)),
            BackgroundJob.name != JOB,
        )
        return db.session.scalar(waiting.limit(1)) is not None

    def _come_to_rest(self) -> None:
        """Nothing more leaves; what is in the air is waited for and written. A database that is away is waited for,
        for a while: what stays unwritten then is looked up later."""
        flying = [one for lane in self.lanes.values() for one in lane.flying]
        wait(flying, timeout=get_settings().twilio_timeout_seconds * 2)
        deadline = time.monotonic() + get_settings().message_claim_seconds
        waiting = list(self.lanes.values())
        while waiting and time.monotonic() < deadline:
            for lane in list(waiting):
                try:
                    with troubles.of_one(lane.plan.campaign_id, lane.plan.workspace.tenant_id):
                        lane.collect()
                        lane.write(time.monotonic(), at_once=True)
                        lane.give_back()
                    waiting.remove(lane)
                except AWAY:
                    db.session.rollback()
                    time.sleep(0.5)


def run_lane(lane: int, turn: int) -> None:
    """One turn of a lane, and its successor when there is more to do."""
    has_more = Loop(lane).run()
    if has_more and not worker_stopping.is_set():
        with platform_scope(), unit_of_work():
            _ask_for(lane, 1 - turn, is_next=True)
