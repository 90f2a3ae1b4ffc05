"""The workspace of the messages benchmark: people who agreed, a text, segments and campaigns."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

AT_ONCE = 50_000
EVERYONE = {"type": "random", "seed": "everyone", "from": 0, "to": 100}


def number_of(index: int) -> str:
    """German mobile numbers: one zone, and no marketing hours of the US."""
    return f"+4915{100_000_000 + index}"


def fill(count: int) -> int:
    """A workspace whose people all agreed to SMS, straight into the tables; its id. Kept data is used again."""
    from sqlalchemy import select

    from app.accounts.models import Tenant
    from app.cdp.services import rebuilding
    from app.core.db import db, unit_of_work
    from app.core.tenancy import platform_scope, tenant_scope

    with platform_scope():
        known = db.session.scalar(select(Tenant.id).limit(1))
        db.session.rollback()
        if known:
            return int(known)
        with unit_of_work():
            tenant = Tenant(name="Benchmark", slug="benchmark")
            db.session.add(tenant)
            db.session.flush()
            tenant_id = int(tenant.id)
    with tenant_scope(tenant_id):
        for start in range(1, count + 1, AT_ONCE):
            with unit_of_work():
                _write_people(tenant_id, range(start, min(start + AT_ONCE, count + 1)))
        rebuilding.rebuild()
    return tenant_id


def _write_people(tenant_id: int, ids: range) -> None:
    from app.cdp.models import ConsentState, Identity, Profile
    from app.cdp.services.bulk import insert_rows
    from app.core.clock import utc_now

    now = utc_now()
    people: Any = Profile.__table__
    names = ("id", "tenant_id", "name", "name_key", "surname_key", "email", "phone", "user_id", "traits", "lifecycle",
             "first_seen_at", "last_seen_at", "created_at", "updated_at")  # fmt: skip
    insert_rows(
        people, names,
        [(one, tenant_id, f"Person {one}", f"person {one}", f"{one} person", "", number_of(one), "",
          {"city": "Leipzig"}, "known", now, now, now, now) for one in ids],
    )  # fmt: skip
    identities: Any = Identity.__table__
    names = ("tenant_id", "profile_id", "kind", "value", "source", "first_seen_at", "last_seen_at")
    rows = [(tenant_id, one, "phone", number_of(one), "benchmark", now, now) for one in ids]
    insert_rows(identities, names, rows)
    consents: Any = ConsentState.__table__
    names = ("tenant_id", "profile_id", "channel", "state", "source", "at")
    insert_rows(consents, names, [(tenant_id, one, "sms", "granted", "benchmark", now) for one in ids])


def make_key() -> str:
    from app.accounts.services import api_keys
    from app.core.db import unit_of_work

    with unit_of_work():
        return api_keys.create("Benchmark", ["read", "write", "messaging"], created_by=None, expires_at=None)[1]


def make_segment(name: str, conditions: dict[str, Any]) -> int:
    """A segment whose members are known."""
    from app.cdp.services import refresh, segments
    from app.core.db import unit_of_work

    with unit_of_work():
        segment_id = segments.create(name, "", conditions).id
    refresh.refresh_segment(segment_id)
    return int(segment_id)


def make_campaign(name: str, segment_id: int, rate: float | None) -> int:
    """A draft that is quiet in one minute long past only."""
    from app.core.clock import utc_now
    from app.core.db import unit_of_work
    from app.messaging.services import campaigns, templates
    from app.messaging.services.campaign_rules import VariantIn
    from app.messaging.services.campaigns import CampaignIn

    start = utc_now() + timedelta(hours=12)
    quiet = [(start + timedelta(minutes=one)).strftime("%H:%M") for one in (0, 1)]
    with unit_of_work():
        text = templates.create(
            f"{name}, {time.time_ns():x}", "Hello {name|you}, spring is here in {city|your town}."
        ).id
        wanted = CampaignIn(name=name, segment_id=segment_id, variants=[VariantIn(text)], rate_per_second=rate,
                            quiet_start=quiet[0], quiet_end=quiet[1])  # fmt: skip
        return int(campaigns.create(wanted).id)


def launch(campaign_id: int) -> None:
    from app.core.db import unit_of_work
    from app.messaging.services import campaigns

    with unit_of_work():
        campaigns.launch(campaign_id)


def end(campaign_id: int) -> None:
    """Nothing more of it leaves."""
    from app.core.db import unit_of_work
    from app.messaging.services import campaigns

    with unit_of_work():
        campaigns.cancel(campaign_id)
