"""Who may enter: every route needs a signed-in caller unless it is marked public."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, current_app, g, request, session
from flask_login import LoginManager, login_user, logout_user
from flask_login import current_user as login_user_proxy

from app.accounts.models import Membership, Tenant, User, UserSession
from app.accounts.services import api_keys, audit, permissions, sessions, tokens
from app.core import logs, tenancy
from app.core.config import get_settings
from app.core.db import release_connection, unit_of_work
from app.core.dialects import speaks_json
from app.core.errors import PermissionDenied, Unauthenticated
from app.core.http import client_address
from app.core.jobs import set_origin
from app.core.sse import allow_channels

ViewT = TypeVar("ViewT", bound=Callable[..., Any])
manager = LoginManager()
PUBLIC_ENDPOINTS = {
    "static", "health.healthz", "health.readyz", "health.metrics", "docs.index", "docs.show", "docs.document",
}  # fmt: skip


def public(view: ViewT) -> ViewT:
    """Mark a view as open to anyone."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def signed_in(view: ViewT) -> ViewT:
    """Mark a view as open to anyone who is signed in, whatever their role: their own account."""
    view.is_for_everyone = True  # type: ignore[attr-defined]
    return view


def open_without_mfa(view: ViewT) -> ViewT:
    """Mark a view that someone whose tenant requires two-factor may use before they have it: turning it on, leaving."""
    view.is_open_without_mfa = True  # type: ignore[attr-defined]
    return view


def ignores_bearer(view: ViewT) -> ViewT:
    """Mark a public view that takes no credential from the Authorization header: it is how one gets a new one."""
    view.ignores_bearer = True  # type: ignore[attr-defined]
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
        if current_caller().api_key:
            raise PermissionDenied("The scopes of this key do not allow this. Make one with more, or ask an admin.")
        raise PermissionDenied("Your role does not allow this. Ask an admin of your workspace.")


def may(permission: str) -> bool:
    """Whether the caller's role, or the scopes of the key, hold the permission."""
    return current_caller().may(permission)


def current_caller() -> sessions.Caller:
    caller: sessions.Caller | None = g.get("caller")
    if caller is None:
        raise Unauthenticated("Sign in first.")
    return caller


def current_user() -> User:
    """Who acts; for an API key who made it, as long as they are there."""
    user = current_caller().user
    if user is None:
        raise PermissionDenied("This needs a person, and whoever made this key has left.", code="person_needed")
    return user


def current_membership() -> Membership:
    """The caller's place in the tenant; an API key has none."""
    membership = current_caller().membership
    if membership is None:
        raise PermissionDenied("This needs a person: sign in.", code="person_needed")
    return membership


def current_session() -> UserSession:
    """The caller's own sign-in; an API key has none."""
    own = current_caller().session
    if own is None:
        raise PermissionDenied("This needs a person: sign in.", code="person_needed")
    return own


def current_tenant() -> Tenant:
    return current_caller().tenant


@manager.user_loader
def _load_user(token: str) -> User | None:
    caller = sessions.find_caller(token) if token and isinstance(token, str) else None
    if caller is None or caller.user is None:
        return None
    caller.user.session_token = token
    g.caller = caller
    return caller.user


def _bearer_caller() -> sessions.Caller | None:
    """Whom the Authorization header speaks for, or None without one. A header that is no good is refused, never
    passed over for a cookie. Pages are for people with a session: there it is not looked at."""
    header = request.headers.get("Authorization", "")
    if not header or not speaks_json(request.path):
        return None
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthenticated("Send the credential as Authorization: Bearer <token>.", code="token_invalid")
    if not text.strip().startswith(api_keys.PREFIXES):
        caller = sessions.find_token_caller(tokens.read_access(text.strip()))
        if caller is None:
            raise Unauthenticated(tokens.INVALID, code="token_invalid")
        return caller
    found = api_keys.find_anywhere(text.strip())
    if found is None:
        raise Unauthenticated("This API key is not valid.", code="api_key_invalid")
    return sessions.Caller(tenant=found.tenant, user=found.user, api_key=found.key)


def _enter() -> None:
    """Bind the caller's tenant for this request, or refuse an anonymous one."""
    audit.set_actor(_actor())
    if request.endpoint in PUBLIC_ENDPOINTS or request.endpoint is None:
        return
    view = current_app.view_functions[request.endpoint]
    bearer = None if getattr(view, "ignores_bearer", False) else _bearer_caller()
    if bearer is not None:
        g.caller = bearer
    elif not login_user_proxy.is_authenticated:
        if not getattr(view, "is_public", False):
            raise Unauthenticated("Sign in first.")
        return
    _bind(current_caller())
    _check_view(view, current_caller())


def _check_view(view: Callable[..., Any], caller: sessions.Caller) -> None:
    """A person's own account is not for keys, and where a tenant requires two-factor nothing else is open without."""
    if getattr(view, "is_public", False):
        return
    if caller.api_key and getattr(view, "is_for_everyone", False):
        raise PermissionDenied("This needs a person: sign in.", code="person_needed")
    lacks_mfa = caller.tenant.requires_mfa and caller.user is not None and not caller.user.has_mfa
    if lacks_mfa and not caller.api_key and not getattr(view, "is_open_without_mfa", False):
        raise PermissionDenied("This workspace asks for two-factor. Turn it on first.", code="mfa_enrolment_required")


def _actor(user_id: int | None = None, label: str = "", credential: str = "none") -> audit.Actor:
    browser = request.headers.get("User-Agent", "")
    return audit.Actor(user_id, label, credential, client_address(), browser, g.get("request_id", ""))


def _bind(caller: sessions.Caller) -> None:
    user_id = caller.user.id if caller.user else None
    tenancy.bind_tenant(caller.tenant.id)
    set_origin(user_id, g.get("request_id"))
    logs.bind(tenant_id=caller.tenant.id, user_id=user_id, credential=caller.credential)
    label = f"API key {caller.api_key.name}" if caller.api_key else (caller.user.email if caller.user else "")
    audit.set_actor(_actor(user_id, label, caller.credential))
    if sessions.is_due_to_be_seen(caller):
        with unit_of_work():
            sessions.mark_seen(caller, client_address())


def _stream_access(channels: list[str]) -> int:
    caller = current_caller()
    require("insights.read")
    own_id = caller.user.id if caller.user and not caller.api_key else 0  # a key hears the tenant, no person
    return allow_channels(channels, tenant_id=caller.tenant.id, user_id=own_id)


def sign_in_browser(user: User, *, password: str | None = None, has_mfa: bool = False) -> None:
    """Open a session for this browser; whatever its cookie carried before is forgotten, so none can be planted."""
    visit = sessions.Visit(client_address(), request.headers.get("User-Agent", ""), has_mfa=has_mfa)
    with unit_of_work():
        _row, token = sessions.open_session(user, visit, password=password)
    session.clear()
    session.permanent = True
    user.session_token = token
    login_user(user)


def sign_out_browser() -> None:
    """End this browser's session and forget its cookie."""
    if login_user_proxy.is_authenticated:
        with unit_of_work():
            sessions.end_session(login_user_proxy.get_id())
        logout_user()
    session.clear()


def _session_watch(app: Flask) -> Callable[[], Callable[[], bool]]:
    """A check, usable after the request has ended, that the caller's credential still opens the same tenant."""

    def watch() -> Callable[[], bool]:
        caller = current_caller()

        def still_allowed() -> bool:
            with app.app_context():
                allowed = sessions.is_still_good(caller)
                release_connection()
            return allowed

        return still_allowed

    return watch


def init_app(app: Flask) -> None:
    settings = get_settings()
    manager.init_app(app)
    manager.session_protection = None  # our sessions are rows; it would only rewrite the cookies of strangers
    app.config.update(REMEMBER_COOKIE_SECURE=settings.secure_cookies, SESSION_PERMANENT=True)
    app.permanent_session_lifetime = settings.session_days * 86400
    app.before_request(_enter)
    app.extensions["sse_access"] = (_stream_access, _session_watch(app))
    app.extensions["permission_holders"] = permissions.holders
    app.jinja_env.globals["may"] = may
