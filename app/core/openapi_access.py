"""What a call needs, in words and as security schemes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

View = Callable[..., Any]
Json = dict[str, Any]
HOLDERS = "permission_holders"
"""`app.extensions[HOLDERS](permission)` gives the roles and the scopes of keys that hold it."""


def security_schemes(app: Flask) -> Json:
    return {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token of POST /api/v1/auth/login; good for 30 minutes.",
        },
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key of the workspace (key_… or msg_…), made under Settings, API keys.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": app.config["SESSION_COOKIE_NAME"],
            "description": "The cookie of a browser that is signed in.",
        },
    }


def security(view: View) -> list[Json]:
    """Any one of these opens it; none is asked of a public view."""
    if getattr(view, "is_public", False):
        return []
    named = [permission] if (permission := getattr(view, "permission", "")) else []
    own = getattr(view, "is_for_everyone", False)
    return [{scheme: named} for scheme in ("token", "key", "session") if not (own and scheme == "key")]


def needs(app: Flask, view: View) -> str:
    """Who may call it, as a sentence."""
    if getattr(view, "is_public", False):
        return "Open to anyone."
    if getattr(view, "is_for_everyone", False):
        return "Needs a person who is signed in, in any role; an API key is refused."
    permission = getattr(view, "permission", "")
    if not permission:
        return "Needs anyone who is signed in, or an API key."
    roles, scopes = app.extensions.get(HOLDERS, _unknown)(permission)
    words = f"Needs the permission `{permission}`"
    if roles:
        words += f": {_any_of(roles)}"
    return f"{words}; an API key with the scope {_any_of(scopes)}." if scopes else f"{words}; no API key has it."


def _unknown(_permission: str) -> tuple[list[str], list[str]]:
    return [], []


def _any_of(names: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
