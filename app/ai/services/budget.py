"""The monthly ceiling on what a tenant spends on models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from app.ai.queries import spent_since
from app.ai.services import preferences
from app.core.clock import utc_now


@dataclass(frozen=True)
class BudgetState:
    """This month (UTC) in millionths of a dollar; what `unpriced_calls` cost nobody knows, so it is not in `spent`."""

    spent_micros: int
    ceiling_micros: int
    unpriced_calls: int

    @property
    def is_exhausted(self) -> bool:
        return self.spent_micros >= self.ceiling_micros

    @property
    def remaining_micros(self) -> int:
        return max(0, self.ceiling_micros - self.spent_micros)

    @property
    def percent_used(self) -> int:
        return min(100, round(100 * self.spent_micros / self.ceiling_micros)) if self.ceiling_micros else 100


def state() -> BudgetState:
    """What the acting tenant has spent this month, and may."""
    spent = spent_since(month_start())
    return BudgetState(spent.micros, preferences.monthly_budget_micros(), spent.unpriced_calls)


def is_exhausted() -> bool:
    """Whether only what is free may still be asked."""
    return state().is_exhausted


def month_start() -> datetime:
    """The first moment of this month in UTC, as the page says."""
    now = utc_now()
    return datetime(now.year, now.month, 1, tzinfo=UTC)
