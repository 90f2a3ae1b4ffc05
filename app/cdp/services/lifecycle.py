"""Moving profiles between the stages of their life, many at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Integer, case, func, or_, select
from sqlalchemy import cast as sql_cast

from app.cdp.models import EventName, Identity, Lifecycle, Profile, ProfileEvent
from app.cdp.queries.lists import ids_in, of_people
from app.cdp.services import fold_queue, lifecycle_rules
from app.cdp.services.bulk import update_rows
from app.cdp.services.days import tenant_zone, today
from app.cdp.services.lifecycle_rules import Facts, StageRules
from app.core.clock import utc_now
from app.core.db import db
from app.core.tenancy import current_tenant_id

_profiles, _events, _identities = Profile.__table__, ProfileEvent.__table__, Identity.__table__
PAST_LEAD = (Lifecycle.CUSTOMER, Lifecycle.ACTIVE, Lifecycle.CHURNED)
CHUNK = 2000


def evaluate(profile_ids: Iterable[int]) -> list[int]:
    """Put each profile in the stage its facts say; returns those that moved. Five statements, however many they are."""
    wanted = sorted(set(profile_ids))
    if not wanted:
        return []
    rules, now = lifecycle_rules.load(), utc_now()
    rows = db.session.execute(
        select(_profiles.c.id, _profiles.c.lifecycle, _profiles.c.last_seen_at).where(
            _profiles.c.tenant_id + 0 == current_tenant_id(),  # a sum: SQLite would walk all of the tenant's people
            _profiles.c.id.in_(ids_in(wanted)),
            _profiles.c.merged_into_id.is_(None),
        )
    ).all()  # fmt: skip
    facts = {row.id: Facts(days_unseen=(now - row.last_seen_at) / timedelta(days=1)) for row in rows}
    _add_identities(facts)
    _add_events(facts, rules)
    return move({row.id: stage for row in rows if (stage := rules.stage(facts[row.id])) != row.lifecycle})


def move(stages: dict[int, Lifecycle]) -> list[int]:
    """Write the new stages and tell the index; returns the ids."""
    now = utc_now()
    update_rows(_profiles, ("lifecycle", "updated_at"), ((stages[one].value, now, one) for one in sorted(stages)))
    fold_queue.note_profiles(stages)
    return sorted(stages)


def count_recent(profile_ids: Iterable[int], rules: StageRules) -> dict[int, int]:
    """How often each did an `active` event in the window of the rule."""
    since = today(tenant_zone()) - rules.active_days + 1
    rows = db.session.execute(
        select(_events.c.profile_id, func.count())
        .where(*_of(profile_ids, _name_ids(rules.active)), _events.c.day >= since)
        .group_by(_events.c.profile_id)
    )
    return dict(rows.all())


def list_due(after_id: int) -> list[int]:
    """The next customers whom the passing of days may have moved: unseen for long, or counted as active."""
    rules = lifecycle_rules.load()
    unseen_since = utc_now() - timedelta(days=rules.churned_days)
    statement = (
        select(Profile.id)
        .where(Profile.id > after_id, Profile.merged_into_id.is_(None))
        .where(
            or_(
                Profile.lifecycle == Lifecycle.ACTIVE,
                (Profile.lifecycle == Lifecycle.CUSTOMER) & (Profile.last_seen_at <= unseen_since),
            )
        )
    )
    return list(db.session.scalars(statement.order_by(Profile.id).limit(CHUNK)))


def list_all(after_id: int) -> list[int]:
    """The next profiles, for rules that changed."""
    statement = select(Profile.id).where(Profile.id > after_id, Profile.merged_into_id.is_(None))
    return list(db.session.scalars(statement.order_by(Profile.id).limit(CHUNK)))


def _add_identities(facts: dict[int, Facts]) -> None:
    known = db.session.scalars(
        select(_identities.c.profile_id)
        .where(of_people(_identities, facts), _identities.c.kind != "anonymous_id")
        .distinct()
    )  # fmt: skip
    for profile_id in known:
        facts[profile_id].is_known = True


def _add_events(facts: dict[int, Facts], rules: StageRules) -> None:
    names = {stage: _name_ids(getattr(rules, stage)) for stage in ("lead", "customer", "active")}
    since = today(tenant_zone()) - rules.active_days + 1
    recent = _events.c.name_id.in_(names["active"]) & (_events.c.day >= since)
    columns = [
        func.max(case((_events.c.name_id.in_(names["lead"]), 1), else_=0)),
        func.max(case((_events.c.name_id.in_(names["customer"]), 1), else_=0)),
        func.sum(case((recent, 1), else_=0)),
    ]
    chosen = select(_events.c.profile_id, *columns).where(
        *_of(facts, sorted({one for ids in names.values() for one in ids}))
    )
    for profile_id, did_lead, did_customer, count in db.session.execute(chosen.group_by(_events.c.profile_id)):
        found = facts[profile_id]
        found.did_lead, found.did_customer, found.recent = bool(did_lead), bool(did_customer), int(count or 0)


def _name_ids(names: Iterable[str]) -> list[int]:
    return list(db.session.scalars(select(EventName.id).where(EventName.name.in_(sorted(names)))))


def _of(profile_ids: Iterable[int], name_ids: list[int]) -> tuple:
    """The events of these people by these names, found by person: the sum keeps the index over names out of it."""
    by_name = sql_cast(_events.c.name_id + 0, Integer).in_(name_ids)
    return (of_people(_events, profile_ids), by_name)
