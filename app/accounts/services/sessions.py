"""Where people and programs are signed in: opening, finding and ending sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from app.accounts.models import ApiKey, Membership, SessionKind, Tenant, User, UserSession
from app.accounts.services import api_keys, audit, permissions, tokens
from app.accounts.services.passwords import hash_password, needs_rehash
from app.core import crypto
from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import db
from app.core.errors import NotFound, Unauthenticated

SEEN_EVERY = timedelta(seconds=60)
VISIT_GAP = timedelta(minutes=30)


@dataclass(frozen=True)
class Caller:
    """Who a request speaks for: a person with a session, or an API key (and, while they are there, its maker)."""

    tenant: Tenant
    user: User | None = None
    membership: Membership | None = None
    session: UserSession | None = None
    api_key: ApiKey | None = None

    @property
    def credential(self) -> str:
        """As the audit log and the rate limits name it."""
        if self.api_key:
            return f"api_key:{self.api_key.id}"
        return f"{self.session.kind}:{self.session.id}" if self.session else "none"

    def may(self, permission: str) -> bool:
        if self.api_key:
            return permissions.scopes_allow(self.api_key.scopes, permission)
        return bool(self.membership) and permissions.allows(self.role, permission)

    @property
    def role(self) -> str:
        """The role that decides: the platform's own one is above the tenant's."""
        if self.user and self.user.is_superadmin and not self.api_key:
            return permissions.SUPERADMIN
        return self.membership.role if self.membership else ""


def find_membership(user_id: int, tenant_id: int | None = None) -> Membership | None:
    """The user's live membership: in that tenant, or else the first they joined."""
    statement = (
        select(Membership)
        .join(Tenant, Tenant.id == Membership.tenant_id)
        .where(Membership.user_id == user_id, Membership.is_active, Tenant.is_active)
    )
    if tenant_id is not None:
        statement = statement.where(Membership.tenant_id == tenant_id)
    return db.session.scalars(statement.order_by(Membership.id).limit(1)).one_or_none()


@dataclass(frozen=True)
class Visit:
    """Where a sign-in comes from and what it is for."""

    address: str
    browser: str
    kind: str = SessionKind.BROWSER
    tenant_id: int | None = None
    has_mfa: bool = False  # the second factor was shown


def open_session(user: User, visit: Visit, *, password: str | None = None) -> tuple[UserSession, str]:
    """Open a session in the tenant asked for, or the user's first; returns it with its token, kept only as a hash."""
    membership = find_membership(user.id, visit.tenant_id)
    if membership is None:
        raise Unauthenticated("This account belongs to no workspace that is open to it.", code="no_workspace")
    if password is not None and needs_rehash(user.password_hash):
        user.password_hash = hash_password(password)
    token = crypto.random_token()
    session = UserSession(
        token_hash=crypto.fingerprint(token),
        user_id=user.id,
        tenant_id=membership.tenant_id,
        kind=visit.kind,
        address=visit.address[:64],
        browser=visit.browser[:300],
        mfa_at=utc_now() if visit.has_mfa else None,
        expires_at=utc_now() + timedelta(days=get_settings().session_days),
    )
    db.session.add(session)
    db.session.flush()
    facts = {"kind": visit.kind, "second_factor": visit.has_mfa}
    audit.record("session.started", session, label=user.email, after=facts, tenant_id=session.tenant_id, user=user)
    return session, token


def find_caller(token: str) -> Caller | None:
    """Whom a live browser session's token speaks for, or None. One query."""
    return _caller(UserSession.token_hash == crypto.fingerprint(token), UserSession.kind == SessionKind.BROWSER)


def find_token_caller(claims: tokens.Claims) -> Caller | None:
    """Whom the claims of an access token speak for while its session lives in the same tenant. One query."""
    return _caller(
        UserSession.id == claims.session_id,
        UserSession.user_id == claims.user_id,
        UserSession.tenant_id == claims.tenant_id,
        UserSession.kind == SessionKind.TOKENS,
    )


def find_caller_of(session: UserSession) -> Caller | None:
    """Whom this session speaks for while it, its user, their membership and the tenant are live."""
    return _caller(UserSession.id == session.id)


def require_workspace(user_id: int, tenant_id: int) -> None:
    """Refuse, as not found, a workspace that is not open to the user."""
    if find_membership(user_id, tenant_id) is None:
        raise NotFound("Workspace not found.", resource="tenant", id=tenant_id)


def move_session(session: UserSession, tenant_id: int) -> Tenant:
    """Go on in another of the user's workspaces; one that is not open to them is not found."""
    require_workspace(session.user_id, tenant_id)
    user = db.session.get_one(User, session.user_id)
    before, after = audit.changed(session, {"tenant_id": tenant_id})
    if after:
        audit.record("session.moved", session, label=user.email, before=before, after=after, tenant_id=tenant_id)
    return db.session.get_one(Tenant, tenant_id)


def _caller(*conditions: Any) -> Caller | None:
    row = db.session.execute(
        select(UserSession, User, Membership, Tenant)
        .join(User, User.id == UserSession.user_id)
        .join(Membership, (Membership.user_id == User.id) & (Membership.tenant_id == UserSession.tenant_id))
        .join(Tenant, Tenant.id == UserSession.tenant_id)
        .where(
            *conditions,
            UserSession.ended_at.is_(None),
            UserSession.expires_at > utc_now(),
            User.is_enabled,
            Membership.is_active,
            Tenant.is_active,
        )
    ).one_or_none()
    return Caller(tenant=row[3], user=row[1], membership=row[2], session=row[0]) if row else None


def is_still_good(caller: Caller) -> bool:
    """Whether the caller's credential still opens the same tenant: long requests ask again and again."""
    if caller.api_key:
        found = api_keys.find_by_id(caller.api_key.id)
        return found is not None and found.tenant_id == caller.tenant.id
    if caller.session is None:
        return False
    again = _caller(UserSession.id == caller.session.id)
    return again is not None and again.tenant.id == caller.tenant.id


def is_due_to_be_seen(caller: Caller) -> bool:
    if caller.api_key:
        return api_keys.is_due_to_be_seen(caller.api_key)
    last = caller.membership.last_seen_at if caller.membership else None
    return last is None or utc_now() - last > SEEN_EVERY


def mark_seen(caller: Caller, address: str) -> None:
    """Note the visit, at most once a minute; a pause of half an hour begins a new visit."""
    now = utc_now()
    if caller.api_key:
        api_keys.mark_used(caller.api_key, address)
        return
    if caller.membership is None or caller.session is None:
        return
    last = caller.membership.last_seen_at
    if last is not None and now - last > VISIT_GAP:
        caller.membership.previous_visit_at = last
    caller.membership.last_seen_at = now
    caller.session.seen_at = now


def end_session(token: str, reason: str = "signed out") -> None:
    """End one session; the cookie that carries it is worthless at once."""
    row = db.session.scalars(
        select(UserSession).where(UserSession.token_hash == crypto.fingerprint(token), UserSession.ended_at.is_(None))
    ).one_or_none()
    if row is not None:
        _end(row, reason)


def end_session_of(session: UserSession, reason: str = "signed out") -> None:
    """End this session, and every token of it."""
    if session.ended_at is None:
        _end(session, reason)


def _end(session: UserSession, reason: str) -> None:
    session.ended_at, session.end_reason = utc_now(), reason
    user = db.session.get_one(User, session.user_id)
    audit.record("session.ended", session, label=user.email, after={"reason": reason}, tenant_id=session.tenant_id)


def end_sessions(user_id: int, reason: str, *, keep_id: int | None = None, tenant_id: int | None = None) -> int:
    """End the user's sessions (in one tenant, or all) but the one to keep; returns how many."""
    statement = update(UserSession).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
    if keep_id is not None:
        statement = statement.where(UserSession.id != keep_id)
    if tenant_id is not None:
        statement = statement.where(UserSession.tenant_id == tenant_id)
    result = db.session.execute(statement.values(ended_at=utc_now(), end_reason=reason))
    return int(getattr(result, "rowcount", 0))


def list_sessions(user_id: int) -> list[UserSession]:
    """The user's live sessions, latest first."""
    return list(
        db.session.scalars(
            select(UserSession)
            .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None), UserSession.expires_at > utc_now())
            .order_by(UserSession.seen_at.desc())
            .limit(50)
        )
    )


def end_session_by_id(user_id: int, session_id: int) -> None:
    """End one of the user's own sessions; someone else's is not found."""
    row = db.session.scalars(
        select(UserSession).where(UserSession.id == session_id, UserSession.user_id == user_id)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such session.")
    end_session_of(row, "ended by its owner")
