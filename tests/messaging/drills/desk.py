"""A process beside the product's own that sets a campaign up and says how it stands: a line of JSON in, one out."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

from sqlalchemy import func, select

from app import create_app
from app.cdp.models import ConsentRecord
from app.core.db import db, release_connection, unit_of_work
from app.core.jobs import BackgroundJob, JobState
from app.core.jobs_run import execute
from app.core.tenancy import platform_scope, tenant_scope
from app.messaging.models import CampaignState, Message, Receipt
from tests.messaging.campaign import House

ANSWER = "=> "


def main() -> None:
    """Serve until the other end closes."""
    with create_app().app_context():
        desk = Desk()
        print(f"{ANSWER}null", flush=True)
        for line in sys.stdin:
            name, values = json.loads(line)
            with tenant_scope(desk.tenant_id) if desk.tenant_id else platform_scope():
                said = getattr(desk, name)(**values)
            release_connection()
            print(ANSWER + json.dumps(said), flush=True)


class Desk:
    """What the drills ask for, as the tenant they signed up."""

    def __init__(self) -> None:
        self.tenant_id = 0
        self.house = House(self._run_jobs)

    def sign_up(self) -> None:
        from app.accounts.models import Membership
        from app.accounts.services import signup

        with unit_of_work():
            user = signup.sign_up("drill@example.com", "a good password")
            self.tenant_id = db.session.scalars(select(Membership.tenant_id).filter_by(user_id=user.id)).one()

    def prepare(self, people: int, rate: float | None) -> int:
        """A draft to so many people."""
        self.house.people(people)
        return self.house.campaign(self.house.segment(), rate_per_second=rate)

    def launch(self, campaign_id: int) -> None:
        from app.messaging.services import campaigns

        with unit_of_work():
            campaigns.launch(campaign_id)

    def uuid(self, campaign_id: int) -> str:
        return self.house.load(campaign_id).uuid

    def key(self) -> str:
        """A credential of the API."""
        from app.accounts.services import api_keys

        with unit_of_work():
            return api_keys.create("Drill", ["read", "write", "messaging"], created_by=None, expires_at=None)[1]

    def is_complete(self, campaign_id: int) -> bool:
        return self.house.load(campaign_id).state == CampaignState.COMPLETED

    def report(self, campaign_id: int) -> dict[str, Any]:
        """The campaign as the product knows it."""
        rows = self.house.messages(campaign_id)
        return {
            "state": self.house.load(campaign_id).state,
            "messages": dict(Counter(one.reason or one.state for one in rows)),
            "attempts": max((one.attempts for one in rows), default=0),
            "sids": len({one.sid for one in rows if one.sid}),
            "people": len({one.profile_id for one in rows}),
            "adds_up": self.house.tallies_add_up(campaign_id),
        }

    def states_by_sid(self, campaign_id: int) -> dict[str, str]:
        return {str(one.sid): one.state for one in self.house.messages(campaign_id)}

    def count(self, what: str) -> int:
        """Rows of a kind."""
        counted: Any = {
            "receipts": select(func.count()).select_from(Receipt),
            "in_doubt": select(func.count()).select_from(Message).where(Message.state == "unknown"),
            "stops": select(func.count()).select_from(ConsentRecord).where(ConsentRecord.source == "stop"),
        }[what]
        return int(db.session.scalar(counted) or 0)

    def _run_jobs(self) -> None:
        """What is asked for before the workers are there is done here."""
        waiting = select(BackgroundJob.id).where(BackgroundJob.state == JobState.QUEUED)
        while job_id := db.session.scalar(waiting.order_by(BackgroundJob.created_at).limit(1)):
            db.session.rollback()
            execute(job_id)
        db.session.rollback()


if __name__ == "__main__":
    main()
