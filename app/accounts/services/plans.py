"""The plans a tenant can be on, and the limits each begins with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PlanName(StrEnum):
    STARTER = "starter"
    PROFESSIONAL = "professional"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True)
class Plan:
    """None is no limit."""

    label: str
    max_users: int | None
    max_campaigns: int | None


PLANS: dict[str, Plan] = {
    PlanName.STARTER: Plan("Starter", 10, 100),
    PlanName.PROFESSIONAL: Plan("Professional", 50, 1000),
    PlanName.ENTERPRISE: Plan("Enterprise", None, None),
}
