"""A tenant's choice of who answers what, and of its monthly ceiling."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.accounts.services import audit
from app.ai.models import AIPreference
from app.ai.queries import find_preference
from app.ai.services.names import BUILTIN, GROUP_LABELS, GROUPS, PROVIDERS, RESEARCH
from app.core.config import get_settings
from app.core.db import db
from app.core.errors import ValidationFailed

MICROS = 1_000_000
HIGHEST_BUDGET_USD = 1_000_000


def order_for(group: str) -> tuple[str, ...]:
    """All providers in the order they are asked for this kind of work; the built-in analyst is always among them."""
    preference = find_preference()
    chosen = (preference.orders or {}).get(group) if preference else None
    return _with_builtin(chosen or default_order(group))


def default_order(group: str) -> tuple[str, ...]:
    """The platform's order."""
    settings = get_settings()
    text = settings.ai_research_order if group == RESEARCH else settings.ai_order
    return _with_builtin([name.strip() for name in text.split(",")])


def full_order(group: str) -> tuple[str, ...]:
    """As order_for, with the providers the order leaves out at the end: what a page lets people arrange."""
    order = order_for(group)
    return order + tuple(name for name in PROVIDERS if name not in order)


def set_order(group: str, order: Sequence[str]) -> None:
    """Choose the order for a kind of work. An unknown provider or one named twice is refused."""
    if group not in GROUPS:
        raise ValidationFailed("There is no such kind of work.", field="group")
    unknown = [name for name in order if name not in (*PROVIDERS, BUILTIN)]
    if unknown or len(set(order)) != len(order):
        raise ValidationFailed("The order must name each provider once.", field="order")
    preference, before = _preference(), order_for(group)
    preference.orders = {**(preference.orders or {}), group: list(order)}
    if _with_builtin(order) != before:
        _note_order("ai_order.changed", preference, group, before)


def move(group: str, provider: str, step: int, *, among: Collection[str] = (*PROVIDERS, BUILTIN)) -> None:
    """Ask a provider earlier (-1) or later (+1) than its neighbour among those named; at the ends nothing changes.

    The others keep their places, so that providers a page does not show are not in the way.
    """
    order = list(full_order(group))
    shown = [name for name in order if name in among]
    if provider not in shown:
        raise ValidationFailed("There is no such provider.", field="provider")
    target = min(max(shown.index(provider) + step, 0), len(shown) - 1)
    shown.insert(target, shown.pop(shown.index(provider)))
    moved = iter(shown)
    set_order(group, [next(moved) if name in among else name for name in order])


def reset_order(group: str) -> None:
    """Go back to the platform's order."""
    preference, before = _preference(), order_for(group)
    preference.orders = {name: order for name, order in (preference.orders or {}).items() if name != group}
    if order_for(group) != before:
        _note_order("ai_order.reset", preference, group, before)


def _note_order(action: str, preference: AIPreference, group: str, before: tuple[str, ...]) -> None:
    label, now = GROUP_LABELS.get(group, group), order_for(group)
    audit.record(action, preference, before={"order": before}, after={"order": now}, label=label)


def monthly_budget_micros() -> int:
    """The acting tenant's ceiling in millionths of a US dollar: its own, else the platform's."""
    preference = find_preference()
    if preference is not None and preference.monthly_budget_micros is not None:
        return preference.monthly_budget_micros
    return round(get_settings().ai_monthly_budget_usd * MICROS)


def set_monthly_budget(dollars: float | None) -> None:
    """Choose the ceiling; None goes back to the platform's, 0 means the built-in analyst only."""
    if dollars is not None and not 0 <= dollars <= HIGHEST_BUDGET_USD:
        raise ValidationFailed("The budget must be from 0 to 1,000,000 dollars.", field="budget")
    preference, before = _preference(), monthly_budget_micros()
    preference.monthly_budget_micros = None if dollars is None else round(dollars * MICROS)
    if (now := monthly_budget_micros()) != before:
        values = {"dollars": before / MICROS}, {"dollars": now / MICROS}
        audit.record("ai_budget.changed", preference, before=values[0], after=values[1], label="monthly AI budget")


def _preference() -> AIPreference:
    preference = find_preference()
    if preference is None:
        preference = AIPreference(orders={})
        db.session.add(preference)
        db.session.flush()
    return preference


def _with_builtin(names: Sequence[str]) -> tuple[str, ...]:
    known = [name for name in dict.fromkeys(names) if name in (*PROVIDERS, BUILTIN)]
    return tuple(known if BUILTIN in known else [*known, BUILTIN])
