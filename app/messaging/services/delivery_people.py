"""The people behind claimed messages as they are now: what they agreed to, what is known of numbers.

Each question is one statement for a whole batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import and_, column, select, table

from app.cdp.queries.lists import ids_in, texts_in
from app.cdp.services import merges
from app.core.db import Json, db
from app.core.tenancy import current_tenant_id
from app.messaging.models import Suppression
from app.messaging.services import template_people
from app.messaging.services.plans import Plan

Figures = dict[int, dict[str, Any]]
_suppressed: Any = Suppression.__table__
_people = table(
    "profiles", column("traits", Json), *map(column, ("id", "tenant_id", "name", "phone", "merged_into_id"))
)
_consents = table("consent_states", *map(column, ("profile_id", "tenant_id", "channel", "state", "source")))
_identities = table("identities", *map(column, ("profile_id", "tenant_id", "kind", "value")))


def people_of(rows: Sequence[Any], channel: str) -> dict[int, Any]:
    """By message id: the person as they are now, what they agreed to, and whether the number is suppressed."""
    tenant_id = current_tenant_id()
    agreed = and_(
        _consents.c.profile_id == _people.c.id, _consents.c.channel == channel, _consents.c.tenant_id == tenant_id
    )
    columns = (_people.c.id, _people.c.traits, _people.c.name, _people.c.phone, _people.c.merged_into_id,
               _consents.c.state, _consents.c.source)  # fmt: skip
    statement = (
        select(*columns)
        .select_from(_people.outerjoin(_consents, agreed))
        .where(_people.c.tenant_id == tenant_id, _people.c.id.in_(ids_in({row.profile_id for row in rows})))
    )
    found = {row.id: row for row in db.session.execute(statement)}
    merged = merges.current_ids(one.id for one in found.values() if one.merged_into_id is not None)
    if merged:
        found |= {row.id: row for row in db.session.execute(_of(statement, merged.values()))}
    now = {one.id: merged.get(one.id) for one in found.values() if one.merged_into_id is not None}
    return {row.id: found.get(now.get(row.profile_id, row.profile_id)) for row in rows}


def people_by_number(number: str, channel: str) -> Any:
    """Whoever has this number now, with what they agreed to; None for nobody. A number is of one person."""
    tenant_id = current_tenant_id()
    agreed = and_(
        _consents.c.profile_id == _people.c.id, _consents.c.channel == channel, _consents.c.tenant_id == tenant_id
    )
    owner = select(_identities.c.profile_id).where(
        _identities.c.tenant_id == tenant_id, _identities.c.kind == "phone", _identities.c.value == number
    )
    columns = (_people.c.id, _people.c.traits, _people.c.name, _consents.c.state, _consents.c.source)
    statement = select(*columns).select_from(_people.outerjoin(_consents, agreed))
    return db.session.execute(statement.where(_people.c.tenant_id == tenant_id, _people.c.id.in_(owner))).one_or_none()


def _of(statement: Any, profile_ids: Iterable[int]) -> Any:
    """The same question about these people."""
    tenant_id = current_tenant_id()
    bare = select(*statement.selected_columns).select_from(statement.get_final_froms()[0])
    return bare.where(_people.c.tenant_id == tenant_id, _people.c.id.in_(ids_in(set(profile_ids))))


def figures_of(plan: Plan, people: Iterable[Any]) -> Figures:
    """Computed traits that the texts name, by person. Their events are read one person after the other, so a text
    that names one is sent more slowly; others cost nothing here."""
    if not plan.figures:
        return {}
    return template_people.computed_values([one.id for one in people if one is not None], plan.figures)


def owners_of(addresses: Sequence[str]) -> dict[str, int]:
    """Whose each number is now; one that stands on a profile only is nobody's here."""
    statement = select(_identities.c.value, _identities.c.profile_id).where(
        _identities.c.tenant_id == current_tenant_id(), _identities.c.kind == "phone",
        _identities.c.value.in_(texts_in(addresses)),
    )  # fmt: skip
    return {row.value: row.profile_id for row in db.session.execute(statement)}


def suppressed_of(channel: str, addresses: Sequence[str]) -> dict[str, str]:
    """Those of the numbers that must not be tried, and why: a STOP is remembered, or nobody can be reached there."""
    where = (_suppressed.c.tenant_id == current_tenant_id(), _suppressed.c.channel == channel)
    columns = (_suppressed.c.address, _suppressed.c.reason)
    rows = db.session.execute(select(*columns).where(*where, _suppressed.c.address.in_(texts_in(addresses))))
    return {row.address: row.reason for row in rows}
