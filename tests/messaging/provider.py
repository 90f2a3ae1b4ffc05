"""The provider as our webhooks meet it, and messages it could speak of."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from app.cdp.models import ConsentRecord, Identity, Profile
from app.cdp.services import consent, segments
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import Campaign, CampaignState, CampaignTally, InboundMessage, Message, MessageState
from app.messaging.services import delivery_reference, tallies
from app.messaging.services.tallies import Shift

ACCOUNT, TOKEN = "AC" + "a" * 32, "installation-token"
SENDER, PERSON = "+15005550006", "+14155551234"
PUBLIC = "https://parley.example"
EMPTY = '<?xml version="1.0" encoding="UTF-8"?>\n<Response></Response>'


def sign(token: str, url: str, params: dict[str, str]) -> str:
    """As the provider does it: the address, then each field and its value in the order of the fields."""
    said = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()


def sid(number: int) -> str:
    return f"SM{number:032x}"


@dataclass
class Provider:
    """Calls the webhooks as the account it was given."""

    client: Any
    account: str = ACCOUNT
    token: str = TOKEN
    base: str = PUBLIC
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, path: str, *, signature: str | None = None, **params: str):
        params = {"AccountSid": self.account} | params
        given = sign(self.token, self.base + path, params) if signature is None else signature
        headers = self.headers | ({"X-Twilio-Signature": given} if given else {})
        return self.client.post(path, data=params, headers=headers)

    def status(
        self, message_sid: str, status: str, *, message: int | None = None, code: int | None = None, **more: str
    ):
        """`message`: our own id, signed into the address as a sent message's is."""
        path = "/webhooks/status"
        if message is not None:
            path += f"?ref={delivery_reference.reference(message)}"
        more |= {"ErrorCode": str(code)} if code is not None else {}
        return self.call(path, MessageSid=message_sid, MessageStatus=status, To=PERSON, From=SENDER, **more)

    def inbound(self, body: str, *, number: int = 1, sender: str = SENDER, person: str = PERSON, **more: str):
        return self.call("/webhooks/inbound", MessageSid=sid(number), From=person, To=sender, Body=body, **more)

    def whatsapp(self, body: str, *, number: int = 1, **more: str):
        return self.inbound(body, number=number, sender=f"whatsapp:{SENDER}", person=f"whatsapp:{PERSON}", **more)


@pytest.fixture
def installation(settings_override) -> None:
    """The installation has an account and a sender that its workspaces share."""
    settings_override(
        twilio_account_sid=ACCOUNT, twilio_auth_token=TOKEN, twilio_sms_sender=SENDER,
        twilio_whatsapp_sender=SENDER, public_url=PUBLIC,
    )  # fmt: skip


@pytest.fixture
def provider(app, installation) -> Provider:
    return Provider(app.test_client())


@dataclass
class Workspace:
    """A tenant's rows: people, campaigns, messages in any state."""

    tenant_id: int
    scope: Callable[[int], Any]

    def person(self, phone: str = PERSON, *, agreed: tuple[str, ...] = ("sms", "whatsapp")) -> int:
        """Somebody with this number who agreed to these channels."""
        with self.scope(self.tenant_id), unit_of_work():
            row = Profile(name="Ann Lee", name_key="ann lee", surname_key="lee ann", phone=phone)
            db.session.add(row)
            db.session.flush()
            db.session.add(Identity(profile_id=row.id, kind="phone", value=phone))
            db.session.flush()
            for channel in agreed:
                consent.record(row.id, channel, "granted", "form", {}, utc_now() - timedelta(days=30))
            return row.id

    def campaign(self, *, channel: str = "sms", state: str = CampaignState.RUNNING, name: str = "Spring") -> int:
        with self.scope(self.tenant_id), unit_of_work():
            segment = segments.create(
                f"Everyone {utc_now()}", "", {"type": "identifier", "kind": "phone"}, user_id=None
            )
            row = Campaign(name=name, channel=channel, state=state, segment_id=segment.id)
            db.session.add(row)
            db.session.flush()
            return row.id

    def message(self, campaign_id: int | None, profile_id: int | None, **values: Any) -> int:
        """A message of the campaign, counted as every one is; pending unless `state` says otherwise."""
        with self.scope(self.tenant_id), unit_of_work():
            given = {
                "campaign_id": campaign_id, "profile_id": profile_id, "channel": "sms", "address": PERSON,
                "sender": SENDER, "state": MessageState.PENDING, "attempts": 1,
            } | values  # fmt: skip
            row = Message(**given)
            db.session.add(row)
            db.session.flush()
            tallies.shift([Shift(campaign_id, row.variant_id, None, "", row.state, row.reason, sent_at=row.sent_at)])
            return row.id

    def sent(self, campaign_id: int, profile_id: int | None, number: int = 1, **values: Any) -> int:
        """One that the provider took."""
        given = {"state": MessageState.QUEUED, "sid": sid(number), "sent_at": utc_now() - timedelta(minutes=5)} | values
        return self.message(campaign_id, profile_id, **given)

    def send_again(self, message_id: int, number: int) -> None:
        """A worker hands a message that waits over once more."""
        with self.scope(self.tenant_id), unit_of_work():
            row = db.session.get_one(Message, message_id)
            tallies.shift([Shift(row.campaign_id, row.variant_id, row.state, row.reason, MessageState.QUEUED)])
            row.state, row.reason, row.sid, row.attempts = MessageState.QUEUED, "", sid(number), row.attempts + 1

    def many_sent(self, campaign_id: int, count: int) -> list[int]:
        """So many, each to a number and a person of its own, by one statement."""
        with self.scope(self.tenant_id), unit_of_work():
            first = (db.session.scalar(select(func.max(Message.id))) or 0) + 1
            rows = [
                {"id": first + n, "tenant_id": self.tenant_id, "campaign_id": campaign_id, "channel": "sms",
                 "address": f"+1415{first + n:07d}", "state": "queued", "sid": sid(first + n), "attempts": 1,
                 "sent_at": utc_now()}
                for n in range(count)
            ]  # fmt: skip
            db.session.execute(insert(Message), rows)
            tallies.shift([Shift(campaign_id, 0, None, "", "queued", "", count)])
            return [row["id"] for row in rows]

    def read(self, message_id: int) -> Message:
        with self.scope(self.tenant_id):
            return db.session.get_one(Message, message_id)

    def figures(self, campaign_id: int) -> dict[str, int]:
        """What the kept figures say; asserts that they are what the messages themselves add up to."""
        with self.scope(self.tenant_id):
            kept = {
                (row.variant_id, row.state, row.reason): row.n
                for row in db.session.scalars(select(CampaignTally).where(CampaignTally.campaign_id == campaign_id))
                if row.n
            }
            assert kept == tallies.recount(campaign_id)
            return tallies.by_state(campaign_id)

    def state_of(self, campaign_id: int) -> tuple[str, str]:
        with self.scope(self.tenant_id):
            row = db.session.get_one(Campaign, campaign_id)
            return row.state, row.pause_reason

    def consent(self, profile_id: int, channel: str = "sms") -> str:
        with self.scope(self.tenant_id):
            return consent.states_of(profile_id)[channel]

    def statements(self, profile_id: int) -> list[ConsentRecord]:
        """What this person said, newest first."""
        with self.scope(self.tenant_id):
            return consent.list_records(profile_id)

    def received(self) -> list[InboundMessage]:
        with self.scope(self.tenant_id):
            return list(db.session.scalars(select(InboundMessage).order_by(InboundMessage.id)))

    def find_person(self, phone: str = PERSON) -> int | None:
        with self.scope(self.tenant_id):
            return db.session.scalar(
                select(Identity.profile_id).where(Identity.kind == "phone", Identity.value == phone)
            )


@pytest.fixture
def workspace(member, in_tenant) -> Workspace:
    return Workspace(member.tenant_id, in_tenant)


@pytest.fixture
def other_workspace(other_member, in_tenant) -> Workspace:
    return Workspace(other_member.tenant_id, in_tenant)
