"""What the settings pages show of providers, without any key."""

from __future__ import annotations

from dataclasses import dataclass

from app.ai.models import CheckState
from app.ai.queries import credentials_by_provider
from app.ai.services import circuit, health, preferences
from app.ai.services.candidates import (
    Candidate,
    Source,
    default_model,
    find_candidate,
    list_candidates,
    platform_candidate,
)
from app.ai.services.names import BUILTIN, GROUP_LABELS, GROUPS, LOCAL, PROVIDERS, label_of
from app.core.config import get_settings


@dataclass(frozen=True)
class ProviderView:
    """One provider as people see it. `state` is off, none, unchecked, ok, failed or resting."""

    name: str
    label: str
    state: str
    source: str
    model: str
    default_model: str
    chosen_model: str
    base_url: str
    masked_key: str
    is_enabled: bool
    uses_sandbox: bool
    can_use_sandbox: bool
    has_platform_key: bool
    takes_address: bool
    check: health.Check
    resting: str


@dataclass(frozen=True)
class OrderEntry:
    name: str
    label: str
    is_reached: bool


@dataclass(frozen=True)
class OrderView:
    """Who can be asked for one kind of work, first to last. `is_own` when it differs from the platform's order."""

    group: str
    label: str
    entries: tuple[OrderEntry, ...]
    is_own: bool


def list_providers() -> list[ProviderView]:
    """Every provider of the acting tenant."""
    return [view_provider(name) for name in PROVIDERS]


def view_provider(name: str) -> ProviderView:
    row, settings = credentials_by_provider().get(name), get_settings()
    candidate = find_candidate(name, row)
    check = health.last_check(candidate, row) if candidate else health.UNCHECKED
    resting = (circuit.resting_because(candidate.key) or "") if candidate else ""
    is_enabled = row.is_enabled if row else True
    return ProviderView(
        name=name,
        label=label_of(name),
        state=_state(is_enabled, candidate, check, resting),
        source=candidate.source if candidate else "",
        model=candidate.model if candidate else "",
        default_model=default_model(name),
        chosen_model=row.model if row else "",
        base_url=row.base_url if row else "",
        masked_key=row.masked_key if row else "",
        is_enabled=is_enabled,
        uses_sandbox=bool(row and row.uses_sandbox),
        can_use_sandbox=bool(settings.sandbox_url),
        has_platform_key=platform_candidate(name) is not None,
        takes_address=name != LOCAL or settings.private_urls_allowed,
        check=check,
        resting=resting,
    )


def list_orders() -> list[OrderView]:
    """The order of providers for every kind of work."""
    return [view_order(group) for group in GROUPS]


def usable_names() -> set[str]:
    """Providers the acting tenant has access to, and the built-in analyst."""
    return {candidate.name for candidate in list_candidates()}


def view_order(group: str) -> OrderView:
    usable = usable_names()
    names = [name for name in preferences.full_order(group) if name in usable]
    last = names.index(BUILTIN)  # it always answers, so nobody after it is asked
    entries = tuple(OrderEntry(name, label_of(name), place <= last) for place, name in enumerate(names))
    is_own = preferences.order_for(group) != preferences.default_order(group)
    return OrderView(group, GROUP_LABELS[group], entries, is_own)


def has_model() -> bool:
    """Whether anything but the built-in analyst (or the sandbox) can answer."""
    return any(view.source in (Source.TENANT, Source.PLATFORM) for view in list_providers())


def _state(is_enabled: bool, candidate: Candidate | None, check: health.Check, resting: str) -> str:
    if not is_enabled:
        return "off"
    if candidate is None:
        return "none"
    if resting and check.state != CheckState.FAILED:
        return "resting"
    return str(check.state)
