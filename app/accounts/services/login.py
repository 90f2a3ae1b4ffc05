"""Signing in and out: password, server-side sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from app.accounts.models import Membership, Tenant, User, UserSession
from app.accounts.services.passwords import hash_password, needs_rehash, verify_password
from app.accounts.services.signup import normal_email
from app.core import crypto, ratelimit
from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import db
from app.core.errors import NotFound, Unauthenticated

SEEN_EVERY = timedelta(seconds=60)
VISIT_GAP = timedelta(minutes=30)


@dataclass(frozen=True)
class Caller:
    """Who a session speaks for."""

    user: User
    membership: Membership
    tenant: Tenant
    session: UserSession


def throttle(email: str, address: str) -> None:
    """Count an attempt; raises RateLimited. Throttled by account and by address, known or not alike."""
    ratelimit.check("login.address", address)
    ratelimit.check("login.account", crypto.fingerprint(normal_email(email)))


def authenticate(email: str, password: str) -> User:
    """The user with this e-mail and password; one refusal, and one duration, for every reason."""
    user = db.session.scalars(select(User).where(User.email == normal_email(email))).one_or_none()
    fits = verify_password(user.password_hash if user else None, password)
    if user is None or not fits or not user.is_enabled:
        raise Unauthenticated("That e-mail and password do not match an account.", code="invalid_credentials")
    ratelimit.clear("login.account", crypto.fingerprint(user.email))
    return user


def start_session(user: User, *, password: str | None, address: str, browser: str) -> str:
    """Open a session in the user's first tenant and return its token, which is kept only as a hash."""
    membership = db.session.scalars(
        select(Membership).where(Membership.user_id == user.id).order_by(Membership.id).limit(1)
    ).one_or_none()
    if membership is None:
        raise Unauthenticated("This account belongs to no workspace.", code="no_workspace")
    if password is not None and needs_rehash(user.password_hash):
        user.password_hash = hash_password(password)
    token = crypto.random_token()
    db.session.add(
        UserSession(
            token_hash=crypto.fingerprint(token),
            user_id=user.id,
            tenant_id=membership.tenant_id,
            address=address[:64],
            browser=browser[:300],
            expires_at=utc_now() + timedelta(days=get_settings().session_days),
        )
    )
    return token


def find_caller(token: str) -> Caller | None:
    """Whom a live session's token speaks for, or None. One query."""
    now = utc_now()
    row = db.session.execute(
        select(UserSession, User, Membership, Tenant)
        .join(User, User.id == UserSession.user_id)
        .join(Membership, (Membership.user_id == User.id) & (Membership.tenant_id == UserSession.tenant_id))
        .join(Tenant, Tenant.id == UserSession.tenant_id)
        .where(
            UserSession.token_hash == crypto.fingerprint(token),
            UserSession.ended_at.is_(None),
            UserSession.expires_at > now,
            User.is_enabled,
        )
    ).one_or_none()
    return Caller(row[1], row[2], row[3], row[0]) if row else None


def is_due_to_be_seen(caller: Caller) -> bool:
    last = caller.membership.last_seen_at
    return last is None or utc_now() - last > SEEN_EVERY


def mark_seen(caller: Caller) -> None:
    """Note the visit, at most once a minute; a pause of half an hour begins a new visit."""
    now = utc_now()
    last = caller.membership.last_seen_at
    if last is not None and now - last > VISIT_GAP:
        caller.membership.previous_visit_at = last
    caller.membership.last_seen_at = now
    caller.session.seen_at = now


def end_session(token: str) -> None:
    """End one session; the cookie that carries it is worthless at once."""
    db.session.execute(
        update(UserSession)
        .where(UserSession.token_hash == crypto.fingerprint(token), UserSession.ended_at.is_(None))
        .values(ended_at=utc_now())
    )


def end_other_sessions(user_id: int, keep_token: str) -> int:
    """End every session of a user but one; returns how many."""
    result = db.session.execute(
        update(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.token_hash != crypto.fingerprint(keep_token),
            UserSession.ended_at.is_(None),
        )
        .values(ended_at=utc_now())
    )
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


def session_id_of(token: str) -> int | None:
    """Which of the listed sessions this token is."""
    return db.session.scalar(select(UserSession.id).where(UserSession.token_hash == crypto.fingerprint(token)))


def end_session_by_id(user_id: int, session_id: int) -> None:
    """End one of the user's own sessions; someone else's is not found."""
    row = db.session.scalars(
        select(UserSession).where(UserSession.id == session_id, UserSession.user_id == user_id)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such session.")
    row.ended_at = row.ended_at or utc_now()
