"""What a tenant has set that taking events in depends on: the zone of its days, the stages of life."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Select, column, select, table

from app.cdp.models import LifecycleRules
from app.cdp.services import lifecycle_rules
from app.cdp.services.lifecycle_rules import StageRules
from app.cdp.services.prepared import TENANT, Lists, fetch

_tenants, _stages = table("tenants", column("id"), column("timezone")), LifecycleRules.__table__


@dataclass(frozen=True)
class IngestRules:
    """Read anew for every batch: a change counts from the next one on, whichever process takes it in."""

    stages: StageRules
    zone: ZoneInfo


def load() -> IngestRules:
    """The acting tenant's, in one statement."""
    row = fetch(_statement).one()
    return IngestRules(lifecycle_rules.of(row.rules or {}), ZoneInfo(row.timezone or "UTC"))


def _statement(_lists: Lists) -> Select[tuple]:
    both = _tenants.outerjoin(_stages, _stages.c.tenant_id == _tenants.c.id)
    return select(_tenants.c.timezone, _stages.c.rules).select_from(both).where(_tenants.c.id == TENANT)
