"""Which role may do what: one table that guards every edge and draws the pages."""

from __future__ import annotations

from app.accounts.models import Role

_VIEWER = {"insights.read"}
_ANALYST = _VIEWER | {"insights.write"}
_MANAGER = set(_ANALYST)
_ADMIN = _MANAGER | {"ai.manage", "members.manage"}

TABLE: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset(_VIEWER),
    Role.ANALYST: frozenset(_ANALYST),
    Role.MANAGER: frozenset(_MANAGER),
    Role.ADMIN: frozenset(_ADMIN),
}
ALL = frozenset().union(*TABLE.values())


def allows(role: str, permission: str) -> bool:
    """Whether the role holds the permission; an unknown permission is a fault of ours."""
    if permission not in ALL:
        raise KeyError(permission)
    return permission in TABLE.get(role, frozenset())
