"""The stratum contract's sign-in for programs: a short access token and a refresh token that works once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, make_response, request

from app.accounts.guards import (
    current_caller,
    current_session,
    current_user,
    ignores_bearer,
    open_without_mfa,
    public,
    signed_in,
)
from app.accounts.models import SessionKind, User, UserSession
from app.accounts.schemas.tokens import (
    Done,
    Me,
    OwnSession,
    TenantSwitch,
    TokenAnswer,
    TokenRefresh,
    TokenSignIn,
    TokenSignUp,
    TokenUser,
)
from app.accounts.services import login, permissions, second_factor, sessions, signup, tokens
from app.accounts.services.browsers import browser_name
from app.core import ratelimit
from app.core.clock import iso
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.errors import Conflict, Unauthenticated
from app.core.http import client_address, limited_address, read_json

bp = Blueprint("tokens_api", __name__, url_prefix="/api/v1/auth")
TAG = "Authentication"


@bp.post("/login")
@describe("Sign in", TAG, body=TokenSignIn, answers={200: TokenAnswer}, errors=(401, 503))
@public
@ignores_bearer
def sign_in() -> Response:
    body = read_json(TokenSignIn)
    login.throttle(body.email, limited_address())
    user = login.authenticate(body.email, body.password)
    has_mfa = second_factor.require(user, body.mfa_code)
    return jsonify(_open(user, body.password, tenant_id=body.tenant_id, has_mfa=has_mfa))


@bp.post("/register")
@describe("Make an account and its workspace", TAG, body=TokenSignUp, answers={201: TokenAnswer}, errors=(409,))
@public
@ignores_bearer
def register() -> Response:
    body = read_json(TokenSignUp)
    ratelimit.check("signup.address", limited_address())
    with unit_of_work():
        user = signup.sign_up(body.email, body.password, name=body.full_name, workspace=body.workspace)
    return make_response(jsonify(_open(user)), 201)


@bp.post("/refresh")
@describe("Exchange a refresh token", TAG, body=TokenRefresh, answers={200: TokenAnswer}, errors=(401, 503))
@public
@ignores_bearer
def refresh() -> Response:
    body = read_json(TokenRefresh)
    ratelimit.check("token.refresh", limited_address())
    with unit_of_work():  # commits also when the token is refused: a spent one has ended its family
        session = tokens.spend_refresh(body.refresh_token)
        caller = sessions.find_caller_of(session) if session else None
        answer = _answer(tokens.issue_pair(caller.session), caller) if caller and caller.session else None
    if answer is None:
        raise Unauthenticated("This refresh token is not valid. Sign in again.", code="refresh_invalid")
    return jsonify(answer)


@bp.post("/logout")
@describe("End this session at once", TAG, answers={200: Done})
@signed_in
@open_without_mfa
def sign_out() -> Response:
    with unit_of_work():
        sessions.end_session_of(current_session())
    return jsonify(success=True, message="Signed out.")


@bp.get("/me")
@describe("Who am I, and what may I do", TAG, answers={200: Me})
@signed_in
@open_without_mfa
def me() -> Response:
    caller = current_caller()
    held = sorted(permissions.TABLE.get(caller.role, frozenset()))
    tenant = {name: getattr(caller.tenant, name) for name in ("id", "name", "slug", "plan")}
    return jsonify(_user(caller) | {"tenant": tenant, "mfa_enabled": current_user().has_mfa, "permissions": held})


@bp.post("/switch")
@describe("Go on in another workspace", TAG, body=TenantSwitch, answers={200: TokenAnswer}, errors=(404, 409))
@signed_in
@open_without_mfa
def switch() -> Response:
    body = read_json(TenantSwitch)
    session = current_session()
    if session.kind != SessionKind.TOKENS:
        raise Conflict("This is for callers with tokens. In a browser, choose the workspace in the top bar.")
    with unit_of_work():
        sessions.require_workspace(session.user_id, body.tenant_id)
        sessions.end_session_of(session, "switched workspace")
    return jsonify(_open(current_user(), tenant_id=body.tenant_id, has_mfa=session.mfa_at is not None))


@bp.get("/sessions")
@describe("Where I am signed in", TAG, answers={200: list[OwnSession]})
@signed_in
@open_without_mfa
def list_sessions() -> Response:
    return jsonify([_session(row) for row in sessions.list_sessions(current_user().id)])


@bp.delete("/sessions/<int:session_id>")
@describe("End one of my sessions", TAG, answers={200: Done}, errors=(404,))
@signed_in
@open_without_mfa
def end_session(session_id: int) -> Response:
    with unit_of_work():
        sessions.end_session_by_id(current_user().id, session_id)
    return jsonify(success=True, message="That session is ended.")


def _open(
    user: User, password: str | None = None, *, tenant_id: int | None = None, has_mfa: bool = False
) -> dict[str, Any]:
    """Open a session of tokens and answer with its first pair."""
    browser = request.headers.get("User-Agent", "")
    visit = sessions.Visit(client_address(), browser, SessionKind.TOKENS, tenant_id, has_mfa)
    with unit_of_work():
        session, _token = sessions.open_session(user, visit, password=password)
        caller = sessions.find_caller_of(session)
        if caller is None:  # ended between the two, by someone else's act
            raise Unauthenticated("This account was closed just now.", code="no_workspace")
        return _answer(tokens.issue_pair(session), caller)


def _answer(pair: tokens.TokenPair, caller: sessions.Caller) -> dict[str, Any]:
    return {
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
        "token_type": "bearer",
        "expires_in": pair.expires_in,
        "user": _user(caller),
    }


def _user(caller: sessions.Caller) -> dict[str, Any]:
    user = caller.user
    assert user is not None
    return TokenUser(
        id=user.id, email=user.email, full_name=user.name, role=caller.role, tenant_id=caller.tenant.id
    ).model_dump()  # fmt: skip


def _session(row: UserSession) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "tenant_id": row.tenant_id, "address": row.address,
        "client": browser_name(row.browser), "created_at": iso(row.created_at), "seen_at": iso(row.seen_at),
        "expires_at": iso(row.expires_at), "is_current": row.id == current_session().id,
    }  # fmt: skip
