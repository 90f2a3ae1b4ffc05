"""What identities are allowed to join: limits per kind, values that mean nobody, which kind is the strongest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select

from app.accounts.services import audit
from app.cdp.models import IdentityRules
from app.cdp.services.prepared import TENANT, Lists, fetch
from app.core.db import db
from app.core.tenancy import current_tenant_id

EXTERNAL = "external"
KINDS = ("user_id", EXTERNAL, "email", "phone", "anonymous_id")  # strongest first
LIMITS = {"user_id": 1, EXTERNAL: 1, "email": 5, "phone": 5, "anonymous_id": 50}
NOBODY = frozenset(
    (
        "null", "(null)", "undefined", "anonymous", "anonymous user", "none", "nil", "nan", "n/a", "na", "unknown",
        "guest", "test", "user", "empty", "no email", "not set", "(not set)", "not_set", "not-set", "true", "false",
        "-1", "?", "[object object]",
    )
)  # fmt: skip
NOBODYS_MAIL = frozenset(
    f"{name}@{host}"
    for name in ("test", "example", "none", "noemail", "no-email", "null", "undefined", "anonymous", "user", "a")
    for host in ("test.com", "example.com", "none.com", "noemail.com", "email.com", "domain.com")
)
PARTS = ("limits", "blocked", "priority", "default_region")
_own = IdentityRules.__table__

Ident = tuple[str, str]


@dataclass(frozen=True)
class Rules:
    """The rules in force for a tenant. External systems share one limit, counted for each system alone."""

    limits: dict[str, int] = field(default_factory=lambda: dict(LIMITS))
    blocked: dict[str, frozenset[str]] = field(default_factory=dict)
    priority: tuple[str, ...] = KINDS
    default_region: str = ""

    def limit_of(self, kind: str) -> int:
        return self.limits[family(kind)]

    def rank(self, kind: str) -> int:
        """0 is the strongest."""
        return self.priority.index(family(kind))

    def by_strength(self, identities: list[Ident]) -> tuple[Ident, ...]:
        """Strongest first, always in the same order."""
        if len(identities) < 2:
            return tuple(identities)
        return tuple(sorted(set(identities), key=self.sort_key))

    def sort_key(self, identity: Ident) -> tuple[int, str, str]:
        return (self.rank(identity[0]), *identity)

    def is_blocked(self, kind: str, value: str) -> bool:
        """Whether the value means nobody in particular."""
        plain = value.lower()
        if plain in NOBODY or not plain.strip("0-+ .") or plain in self.blocked.get(family(kind), frozenset()):
            return True
        return kind == "email" and plain in NOBODYS_MAIL


def family(kind: str) -> str:
    return EXTERNAL if kind.startswith("external:") else kind


def load_rules() -> Rules:
    """The acting tenant's rules: what it changed, over the built-in ones."""
    row = fetch(_own_parts).one_or_none()
    return combine(*row) if row else Rules()


def _own_parts(_lists: Lists) -> Select[tuple]:
    return select(*(_own.c[name] for name in PARTS)).where(_own.c.tenant_id == TENANT)


def find_own() -> IdentityRules | None:
    return db.session.scalars(select(IdentityRules)).one_or_none()


def combine(
    limits: dict[str, Any], blocked: dict[str, list[str]], priority: list[str], default_region: str = ""
) -> Rules:
    """Rules from what differs from the built-in ones."""
    own = {kind: frozenset(value.strip().lower() for value in values) for kind, values in blocked.items()}
    order = tuple(priority) + tuple(kind for kind in KINDS if kind not in priority)
    return Rules(LIMITS | limits, own, order, default_region)


def proposed(values: dict[str, Any]) -> Rules:
    """The tenant's rules if these values took the place of its own."""
    row = find_own()
    own = {name: getattr(row, name) for name in PARTS} if row else {}
    whole = {"limits": {}, "blocked": {}, "priority": [], "default_region": ""} | own | values
    return combine(**whole)


def save_rules(values: dict[str, Any]) -> Rules:
    """Keep the tenant's own rules; who was joined before stays joined."""
    row = find_own()
    if row is None:
        row = IdentityRules(tenant_id=current_tenant_id(), limits={}, blocked={}, priority=[], default_region="")
        db.session.add(row)
    before, after = audit.changed(row, values)
    db.session.flush()
    if after:
        audit.record("identity_rules.changed", label="Identity rules", before=before, after=after)
    return load_rules()
