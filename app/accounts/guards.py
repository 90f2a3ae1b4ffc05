"""Who may enter: every route needs a signed-in caller unless it is marked public."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from flask_login import LoginManager
from flask_login import current_user as login_user_proxy

from app.accounts.models import Membership, Tenant, User
from app.accounts.services import login, permissions
from app.core import logs, tenancy
from app.core.config import get_settings
from app.core.db import release_connection, unit_of_work
from app.core.errors import PermissionDenied, Unauthenticated
from app.core.jobs import set_origin
from app.core.sse import allow_channels

ViewT = TypeVar("ViewT", bound=Callable[..., Any])
manager = LoginManager()
PUBLIC_ENDPOINTS = {"static", "health.healthz", "health.readyz", "health.metrics"}


def public(view: ViewT) -> ViewT:
    """Mark a view as open to anyone."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def signed_in(view: ViewT) -> ViewT:
    """Mark a view as open to anyone who is signed in, whatever their role: their own account."""
    view.is_for_everyone = True  # type: ignore[attr-defined]
    return view


def require_permission(permission: str) -> Callable[[ViewT], ViewT]:
    """Only callers whose role holds the permission."""

    def decorate(view: ViewT) -> ViewT:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            require(permission)
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def require(permission: str) -> None:
    """Raise PermissionDenied unless the caller may."""
    if not may(permission):
        raise PermissionDenied("Your role does not allow this. Ask an admin of your workspace.")


def may(permission: str) -> bool:
    """Whether the caller's role holds the permission."""
    caller = current_caller()
    return caller.user.is_superadmin or permissions.allows(caller.membership.role, permission)


def current_caller() -> login.Caller:
    caller: login.Caller | None = g.get("caller")
    if caller is None:
        raise Unauthenticated("Sign in first.")
    return caller


def current_user() -> User:
    return current_caller().user


def current_membership() -> Membership:
    return current_caller().membership


def current_tenant() -> Tenant:
    return current_caller().tenant


@manager.user_loader
def _load_user(token: str) -> User | None:
    caller = login.find_caller(token) if token and isinstance(token, str) else None
    if caller is None:
        return None
    caller.user.session_token = token
    g.caller = caller
    return caller.user


def _enter() -> None:
    """Bind the caller's tenant for this request, or refuse an anonymous one."""
    if request.endpoint in PUBLIC_ENDPOINTS or request.endpoint is None:
        return
    if login_user_proxy.is_authenticated:
        _bind(current_caller())
        return
    view = current_app.view_functions[request.endpoint]
    if not getattr(view, "is_public", False):
        raise Unauthenticated("Sign in first.")


def _bind(caller: login.Caller) -> None:
    tenancy.bind_tenant(caller.tenant.id)
    set_origin(caller.user.id, g.get("request_id"))
    logs.bind(tenant_id=caller.tenant.id, user_id=caller.user.id)
    if login.is_due_to_be_seen(caller):
        with unit_of_work():
            login.mark_seen(caller)


def _stream_access(channels: list[str]) -> int:
    caller = current_caller()
    return allow_channels(channels, tenant_id=caller.tenant.id, user_id=caller.user.id)


def _session_watch(app: Flask) -> Callable[[], Callable[[], bool]]:
    """A check, usable after the request has ended, that the caller's session is still live."""

    def watch() -> Callable[[], bool]:
        token = current_user().session_token or ""

        def still_allowed() -> bool:
            with app.app_context():
                allowed = login.find_caller(token) is not None
                release_connection()
            return allowed

        return still_allowed

    return watch


def init_app(app: Flask) -> None:
    settings = get_settings()
    manager.init_app(app)
    app.config.update(REMEMBER_COOKIE_SECURE=settings.secure_cookies, SESSION_PERMANENT=True)
    app.permanent_session_lifetime = settings.session_days * 86400
    app.before_request(_enter)
    app.extensions["sse_access"] = (_stream_access, _session_watch(app))
    app.jinja_env.globals["may"] = may
