"""The frame around every page: navigation, workspace, bell."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, request

from app.accounts.guards import current_caller, current_membership, current_tenant, current_user, may
from app.accounts.queries import Workspace, list_workspaces
from app.core.activity import count_since
from app.core.tenancy import bound_tenant_id
from app.dashboard.queries import sandbox_services
from app.messaging.queries.threads import count_unread

GROUPS: list[tuple[str, str, list[tuple[str, str, str]]]] = [
    ("", "home", [("Home", "/app", "home")]),
    (
        "Know",
        "know",
        [
            ("Audiences", "/app/audiences", "users-group"),
            ("Personas", "/app/personas", "user-circle"),
            ("Simulations", "/app/simulations", "flask"),
            ("Conversations", "/app/conversations", "message-circle"),
        ],
    ),
    (
        "Customers",
        "customers",
        [
            ("Profiles", "/app/profiles", "address-book"),
            ("Segments", "/app/segments", "filter"),
            ("Events", "/app/events", "activity"),
            ("Imports", "/app/imports", "database-import"),
        ],
    ),
    (
        "Reach",
        "reach",
        [
            ("Campaigns", "/app/campaigns", "send"),
            ("Templates", "/app/templates", "layout-list"),
            ("Inbox", "/app/inbox", "inbox"),
            ("Reports", "/app/reports/messages", "chart-bar"),
        ],
    ),
]
SETTINGS = [
    ("You", "/app/settings/you", "user"),
    ("Security", "/app/settings/security", "shield-lock"),
    ("Team", "/app/settings/team", "users"),
    ("Workspace", "/app/settings/workspace", "building"),
    ("AI", "/app/settings/ai", "sparkles"),
    ("Prompts", "/app/settings/prompts", "file-text"),
    ("Spend", "/app/settings/spend", "chart-bar"),
    ("API keys", "/app/settings/api-keys", "key"),
    ("Messaging", "/app/settings/messaging", "message-circle"),
    ("Webhooks", "/app/settings/webhooks", "send"),
    ("Audit log", "/app/settings/audit", "list"),
    ("All workspaces", "/app/settings/tenants", "world"),
]
GROUP_STARTS = {"/app/settings/team", "/app/settings/tenants"}  # after one's own pages, and after the workspace's
NEEDED = {  # others are for everyone
    "/app/settings/api-keys": "api_keys.manage",
    "/app/settings/messaging": "messaging.manage",
    "/app/settings/webhooks": "webhooks.manage",
    "/app/settings/audit": "audit.read",
    "/app/settings/tenants": "tenants.manage",
}


def _items(items: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    return [
        {"label": label, "url": url, "icon": icon, "current": _is_current(url), **_badge(url)}
        for label, url, icon in items
    ]


def _badge(url: str) -> dict[str, Any]:
    """Where work waits, how much."""
    if url == "/app/inbox" and may("messaging.read"):
        return {"badge": count_unread(), "badge_label": "unread"}
    return {}


def _settings_items() -> list[tuple[str, str, str]]:
    """The settings pages that the caller may open."""
    return [item for item in SETTINGS if item[1] not in NEEDED or may(NEEDED[item[1]])]


def _is_current(url: str) -> bool:
    return request.path == url or (url != "/app" and request.path.startswith(url + "/"))


def navigation() -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = [
        {"label": label, "key": key, "foot": False, "items": _items(items)} for label, key, items in GROUPS
    ]
    in_settings = request.path.startswith("/app/settings")
    settings = {"label": "Settings", "url": SETTINGS[0][1], "icon": "settings", "current": in_settings}
    return [*groups, {"label": "Settings", "key": "settings", "foot": True, "items": [settings]}]


def _other_workspaces() -> list[Workspace]:
    """Where else the caller could go on."""
    return [one for one in list_workspaces(current_user().id) if one.id != current_tenant().id]


def _context() -> dict[str, Any]:
    if g.get("caller") is None or bound_tenant_id() is None:  # refused before the tenant was known: a bare error page
        return {}
    return {
        "nav": navigation(),
        "settings_tabs": [{**item, "starts_group": item["url"] in GROUP_STARTS} for item in _items(_settings_items())],
        "workspace": {"name": current_tenant().name, "role": current_caller().role},
        "workspaces": _other_workspaces(),
        "current_user": current_user(),
        "lacks_mfa": current_tenant().requires_mfa and not current_user().has_mfa,  # no stream opens for them
        "bell_unseen": count_since(current_membership().activity_seen_at),
        "sandbox_services": sandbox_services(),
    }


def init_app(app: Flask) -> None:
    app.context_processor(_context)
