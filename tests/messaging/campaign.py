"""A campaign over real people, sent by the real loop to the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert, select

from app.cdp.models import ConsentState, Identity, Profile
from app.cdp.services import fold_queue, segments
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import Campaign, Message
from app.messaging.services import campaigns, rules, tallies, templates
from app.messaging.services.campaign_rules import VariantIn
from app.messaging.services.campaigns import CampaignIn
from app.sandbox.services.twilio_account import ACCOUNT_SID, AUTH_TOKEN

SENDER = "+15005550006"
EVERYONE = {"type": "random", "seed": "all", "from": 0, "to": 100}


def number_of(index: int) -> str:
    """German mobile numbers: no US hours, one zone."""
    return f"+4915{20_000_000 + index:09d}"[:14]


@dataclass
class House:
    """The acting tenant's people, templates and campaigns; used inside `in_tenant`."""

    run_jobs: Any

    def people(self, count: int, **values: Any) -> list[int]:
        """People with numbers who agreed to SMS, unless told otherwise: `state`, `traits`, `phone`, `name`."""
        state, now = values.pop("state", "granted"), utc_now()
        with unit_of_work():
            first = (db.session.scalar(select(db.func.count(Profile.id))) or 0) + 1
            rows = [
                Profile(**({"phone": number_of(first + n), "name": f"Person {first + n}", "traits": {}} | values))
                for n in range(count)
            ]
            db.session.add_all(rows)
            db.session.flush()
            ids = [row.id for row in rows]
            for row in rows:
                if row.phone:
                    known = select(Identity.id).where(Identity.kind == "phone", Identity.value == row.phone)
                    if db.session.scalar(known) is None:
                        db.session.add(Identity(profile_id=row.id, kind="phone", value=row.phone))
                if state != "unknown":
                    db.session.add(ConsentState(profile_id=row.id, channel="sms", state=state, source="test", at=now))
            fold_queue.note_profiles(ids)
        self.run_jobs()
        return ids

    def segment(self, conditions: dict[str, Any] | None = None) -> int:
        with unit_of_work():
            segment_id = segments.create("Everyone", "", conditions or EVERYONE).id
        self.run_jobs()
        return segment_id

    def template(self, content: str = "Hello {name|you}.", name: str = "Hello", **more: Any) -> int:
        with unit_of_work():
            return templates.create(name, content, **more).id

    def campaign(self, segment_id: int, *template_ids: int, **values: Any) -> int:
        """A draft as fast as the sender, quiet only in a minute long past."""
        minute = utc_now().hour * 60 + utc_now().minute
        clock = [f"{(minute + ahead) // 60 % 24:02d}:{(minute + ahead) % 60:02d}" for ahead in (720, 721)]
        quiet = {"quiet_start": clock[0], "quiet_end": clock[1]}
        with unit_of_work():
            wanted = {"name": "Spring", "rate_per_second": None} | quiet | values
            variants = [VariantIn(one) for one in template_ids or (self.template(),)]
            return campaigns.create(CampaignIn(segment_id=segment_id, variants=variants, **wanted)).id

    def launch(self, campaign_id: int) -> None:
        with unit_of_work():
            campaigns.launch(campaign_id)
        self.run_jobs()

    def load(self, campaign_id: int) -> Campaign:
        db.session.rollback()
        return db.session.get_one(Campaign, campaign_id, populate_existing=True)

    def messages(self, campaign_id: int) -> list[Message]:
        db.session.rollback()
        statement = select(Message).where(Message.campaign_id == campaign_id).order_by(Message.profile_id)
        return list(db.session.scalars(statement.execution_options(populate_existing=True)))

    def reasons(self, campaign_id: int) -> dict[int, str]:
        """By profile: why somebody is not written to, or the state of their message."""
        return {one.profile_id: one.reason or one.state for one in self.messages(campaign_id)}

    def tallies_add_up(self, campaign_id: int) -> bool:
        db.session.rollback()
        kept = {(row.variant_id, row.state, row.reason): row.n for row in tallies.of_campaign(campaign_id)}
        return kept == tallies.recount(campaign_id)

    def rules(self, **values: Any) -> None:
        with unit_of_work():
            rules.save(**values)

    def sent_earlier(self, profile_id: int, count: int, **values: Any) -> None:
        with unit_of_work():
            row = {"tenant_id": db.session.get_one(Profile, profile_id).tenant_id, "profile_id": profile_id,
                   "channel": "sms", "address": "", "state": "delivered", "sent_at": utc_now()}  # fmt: skip
            db.session.execute(insert(Message), [row | values for _ in range(count)])


@pytest.fixture
def twilio(sandbox, settings_override):
    """The sandbox as the installation's account."""
    settings_override(
        twilio_account_sid=ACCOUNT_SID, twilio_auth_token=AUTH_TOKEN, twilio_sms_sender=SENDER, twilio_sender_rate=0,
        twilio_base_url=f"{sandbox.url}/twilio", twilio_content_base_url=f"{sandbox.url}/twilio/content",
        twilio_messaging_base_url=f"{sandbox.url}/twilio/messaging", twilio_timeout_seconds=4.0,
        message_claim_seconds=11.0, message_doubt_seconds=0.0,
    )  # fmt: skip
    sandbox.control.twilio(callbacks=False)
    return sandbox.control


@pytest.fixture
def house(run_jobs, member, in_tenant, twilio):
    with in_tenant(member.tenant_id):
        yield House(run_jobs)
