"""The stated rules of the stages of a customer's life, which a tenant may change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.accounts.services import audit
from app.cdp.models import Lifecycle, LifecycleRules
from app.core.db import db
from app.core.jobs import enqueue
from app.core.tenancy import current_tenant_id

RULES: dict[str, Any] = {
    "lead": {"events": ["lead", "signup", "sign_up", "form_submitted"]},
    "customer": {"events": ["purchase", "order_completed", "subscription_started"]},
    "active": {"events": ["purchase", "order_completed", "subscription_started"], "times": 2, "days": 30},
    "churned": {"days": 90},
}


@dataclass(frozen=True)
class StageRules:
    """anonymous: only anonymous ids · known: any other identity · lead: did one of its events · customer: did one of
    its events · active: a customer who did one of its events so often in so many days · churned: a customer not seen
    for so many days."""

    lead: frozenset[str]
    customer: frozenset[str]
    active: frozenset[str]
    active_times: int
    active_days: int
    churned_days: int

    def stage(self, facts: Facts) -> Lifecycle:
        """The stage these facts put a profile in; the furthest one that holds."""
        if facts.did_customer:
            if facts.days_unseen >= self.churned_days:
                return Lifecycle.CHURNED
            return Lifecycle.ACTIVE if facts.recent >= self.active_times else Lifecycle.CUSTOMER
        if facts.did_lead:
            return Lifecycle.LEAD
        return Lifecycle.KNOWN if facts.is_known else Lifecycle.ANONYMOUS

    @property
    def events(self) -> frozenset[str]:
        return self.lead | self.customer | self.active


@dataclass
class Facts:
    """What the stage of one profile follows from. `recent`: how often it did an `active` event in the window."""

    is_known: bool = False
    did_lead: bool = False
    did_customer: bool = False
    recent: int = 0
    days_unseen: float = 0.0


def current() -> dict[str, Any]:
    """The rules in force: the tenant's own over the built-in ones."""
    row = _find()
    return _combined(row.rules if row else {})


def load() -> StageRules:
    row = _find()
    return of(row.rules if row else {})


def of(own: dict[str, Any]) -> StageRules:
    """The rules in force for a tenant that changed these of the built-in ones."""
    rules = _combined(own)
    return StageRules(
        lead=frozenset(rules["lead"]["events"]),
        customer=frozenset(rules["customer"]["events"]),
        active=frozenset(rules["active"]["events"]),
        active_times=rules["active"]["times"],
        active_days=rules["active"]["days"],
        churned_days=rules["churned"]["days"],
    )


def save(rules: dict[str, Any]) -> dict[str, Any]:
    """Keep what the tenant changed, and look at every profile again in the background."""
    row = _find()
    if row is None:
        row = LifecycleRules(tenant_id=current_tenant_id(), rules={})
        db.session.add(row)
    before, after = audit.changed(row, {"rules": {**row.rules, **rules}})
    db.session.flush()
    if after:
        audit.record("lifecycle_rules.changed", label="Lifecycle rules", before=before, after=after)
        enqueue("cdp.apply_lifecycle", unique_key="cdp.apply_lifecycle", label="Lifecycle rules")
    return current()


def _combined(own: dict[str, Any]) -> dict[str, Any]:
    return {stage: values | own.get(stage, {}) for stage, values in RULES.items()}


def _find() -> LifecycleRules | None:
    return db.session.scalars(select(LifecycleRules)).one_or_none()
