"""Which role, and which scope of a key, may do what: one table that guards every edge and draws the pages."""

from __future__ import annotations

from app.accounts.models import SUPERADMIN, Role, Scope

_VIEWER = {"insights.read", "members.read", "workspace.read", "jobs.read", "cdp.read", "messaging.read"}
_ANALYST = _VIEWER | {"insights.write", "cdp.write", "events.write", "messaging.write"}
_MANAGER = _ANALYST | {"messaging.send"}
_ADMIN = _MANAGER | {
    "ai.manage",
    "members.manage",
    "workspace.manage",
    "api_keys.manage",
    "webhooks.manage",
    "audit.read",
    "messaging.manage",
}
_PLATFORM = {"tenants.manage"}

TABLE: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset(_VIEWER),
    Role.ANALYST: frozenset(_ANALYST),
    Role.MANAGER: frozenset(_MANAGER),
    Role.ADMIN: frozenset(_ADMIN),
    SUPERADMIN: frozenset(_ADMIN | _PLATFORM),
}
ALL = frozenset().union(*TABLE.values())
_NOT_JUST_READING = {"audit.read"}

SCOPES: dict[str, frozenset[str]] = {
    Scope.READ: frozenset(name for name in ALL if name.endswith(".read")) - _NOT_JUST_READING,
    Scope.WRITE: frozenset(name for name in ALL if name.endswith(".write")) - {"events.write"},
    Scope.EVENTS: frozenset(name for name in ALL if name.startswith("events.")),
    Scope.MESSAGING: frozenset(name for name in ALL if name.startswith("messaging.")) - {"messaging.manage"},
    Scope.ADMIN: frozenset(_ADMIN),
}
ROLE_WORDS: dict[str, str] = {
    Role.ADMIN: "Everything, with people, keys and settings",
    Role.MANAGER: "Makes and changes everything, and reaches people",
    Role.ANALYST: "Makes and changes audiences, personas and simulations",
    Role.VIEWER: "Looks at everything, changes nothing",
}
MATRIX: tuple[tuple[str, str], ...] = (  # what the team page says of each role, in the order of reading
    ("Read audiences, personas and simulations", "insights.read"),
    ("Make, change and delete them; talk with personas", "insights.write"),
    ("See customers, events and segments", "cdp.read"),
    ("Change customers, build segments, import, send events", "cdp.write"),
    ("See campaigns, messages and what people answer", "messaging.read"),
    ("Write templates and drafts, keep contacts", "messaging.write"),
    ("Send campaigns, answer people", "messaging.send"),
    ("Senders, quiet hours, caps and alarms", "messaging.manage"),
    ("See who is in the workspace", "members.read"),
    ("Invite people, change roles, remove people", "members.manage"),
    ("Name, time zone and two-factor rule of the workspace", "workspace.manage"),
    ("AI keys, order, prompts and budget", "ai.manage"),
    ("API keys", "api_keys.manage"),
    ("Webhooks, which tell your systems what happens", "webhooks.manage"),
    ("Audit log", "audit.read"),
)
SCOPE_WORDS: dict[str, str] = {
    Scope.READ: "Read audiences, personas, simulations, customers and segments",
    Scope.WRITE: "Make, change and delete them",
    Scope.EVENTS: "Send events about people",
    Scope.MESSAGING: "Speak the messaging API; such a key begins with msg_",
    Scope.ADMIN: "Everything an admin may: people, keys, settings and the audit log",
}


def allows(role: str, permission: str) -> bool:
    """Whether the role holds the permission; an unknown permission is a fault of ours."""
    if permission not in ALL:
        raise KeyError(permission)
    return permission in TABLE.get(role, frozenset())


def scopes_allow(scopes: list[str], permission: str) -> bool:
    """Whether a key with these scopes holds the permission."""
    if permission not in ALL:
        raise KeyError(permission)
    return any(permission in SCOPES.get(scope, frozenset()) for scope in scopes)


def holders(permission: str) -> tuple[list[str], list[str]]:
    """The roles that hold a permission, and the scopes of keys that do."""
    roles = [str(role) for role, held in TABLE.items() if permission in held and role != SUPERADMIN]
    return roles or [SUPERADMIN], [str(scope) for scope, held in SCOPES.items() if permission in held]
