"""Whom to ask for a task, in which order, with which key."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from app.ai.models import AICredential
from app.ai.providers import registry
from app.ai.providers.base import Task
from app.ai.queries import credentials_by_provider
from app.ai.services import budget, circuit, preferences
from app.ai.services.names import BUILTIN, LOCAL, PROVIDERS, group_of, label_of
from app.core.config import get_settings
from app.core.crypto import fingerprint

SANDBOX_LOCAL_MODEL = "local-model"


class Source(StrEnum):
    """Whose access is used."""

    TENANT = "tenant"
    PLATFORM = "platform"
    SANDBOX = "sandbox"
    BUILTIN = "builtin"


@dataclass(frozen=True)
class Candidate:
    """One provider that may be asked, with all its client needs."""

    name: str
    source: Source
    model: str = ""
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    has_typed_address: bool = False  # somebody entered it on a page: it is checked before each use

    @property
    def key(self) -> str:
        """A name for this client that does not tell the secret."""
        return fingerprint("\n".join((self.name, self.api_key, self.base_url, self.model)))[:32]

    @property
    def label(self) -> str:
        return label_of(self.name)


@dataclass(frozen=True)
class Lineup:
    """Candidates in order, the built-in analyst always among them; `notes` say who was left out and why."""

    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...] = ()


BUILTIN_CANDIDATE = Candidate(BUILTIN, Source.BUILTIN)


def lineup_for(task: Task) -> Lineup:
    """Whom the acting tenant's task is put to."""
    if budget.is_exhausted():
        return Lineup((BUILTIN_CANDIDATE,), ("This month's AI budget is spent, so the built-in analyst answered.",))
    usable = {candidate.name: candidate for candidate in list_candidates()}
    candidates, notes = [], []
    for name in preferences.order_for(group_of(task)):
        candidate = usable.get(name)
        if candidate is None:
            continue
        reason = None if name == BUILTIN else circuit.resting_because(candidate.key)
        if reason is None:
            candidates.append(candidate)
        else:
            notes.append(f"{candidate.label} is resting for a moment: {reason}.")
    return Lineup(tuple(candidates), tuple(notes))


def list_candidates() -> list[Candidate]:
    """Every provider the acting tenant could use, the built-in analyst last."""
    rows = credentials_by_provider()
    found = [find_candidate(name, rows.get(name)) for name in PROVIDERS]
    return [candidate for candidate in found if candidate] + [BUILTIN_CANDIDATE]


def find_candidate(name: str, row: AICredential | None) -> Candidate | None:
    """How this provider would be asked: by the tenant's own key, the sandbox, or the platform's key; None when not.

    A tenant's base URL is used with the tenant's own key only: the platform's key never goes to an address
    a tenant chose.
    """
    if row is not None and not row.is_enabled:
        return None
    model = row.model if row is not None else ""
    if row is not None and (row.api_key or (name == LOCAL and row.base_url)):
        base_url, chosen = row.base_url or _setting(name, "base_url"), model or default_model(name)
        if not base_url or not chosen:
            return None
        return Candidate(name, Source.TENANT, chosen, base_url, row.api_key or "none", bool(row.base_url))
    if row is not None and row.uses_sandbox and get_settings().sandbox_url:
        return Candidate(
            name,
            Source.SANDBOX,
            model or default_model(name) or SANDBOX_LOCAL_MODEL,
            sandbox_url_for(name),
            "sandbox",
        )
    return platform_candidate(name, model)


def platform_candidate(name: str, model: str = "") -> Candidate | None:
    """How the platform's own key asks this provider; None without one."""
    key, base_url = _setting(name, "api_key"), _setting(name, "base_url")
    if name == LOCAL:
        key = (key or "none") if base_url else ""
    chosen = model or default_model(name)
    return Candidate(name, Source.PLATFORM, chosen, base_url, key) if key and chosen else None


def default_model(name: str) -> str:
    """The platform's model of a provider; empty for a local server without one."""
    return _setting(name, "model") or registry.DEFAULT_MODELS.get(name, "")


def sandbox_url_for(name: str) -> str:
    """Where the sandbox speaks like this provider."""
    version = "" if name == "perplexity" else "/v1"
    return f"{get_settings().sandbox_url.rstrip('/')}/{name}{version}"


def _setting(name: str, what: str) -> str:
    return str(getattr(get_settings(), f"{name}_{what}", "") or "")
