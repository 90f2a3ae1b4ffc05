"""Access tokens (JWT) and rotating refresh tokens; a family of them is one session."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import jwt
from sqlalchemy import select, update

from app.accounts.models import RefreshToken, User, UserSession
from app.accounts.services import audit
from app.core import crypto
from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import db
from app.core.errors import Unauthenticated

ISSUER = "parley"
AUDIENCE = "parley-api"
ALGORITHM = "HS256"
ACCESS_SECONDS = 30 * 60
INVALID = "This access token is not valid. Sign in again."


@dataclass(frozen=True)
class Claims:
    """What a verified access token says."""

    user_id: int
    session_id: int
    tenant_id: int


@dataclass(frozen=True)
class TokenPair:
    access_token: str
    refresh_token: str
    expires_in: int = ACCESS_SECONDS


@lru_cache(maxsize=4)
def _keys(jwt_keys: str, secret_key: str) -> dict[str, bytes]:
    """Signing keys by id, newest first. Without JWT_KEYS one is derived from SECRET_KEY."""
    given = [key.strip().encode() for key in jwt_keys.split(",") if key.strip()]
    derived = hmac.new(secret_key.encode(), b"parley access tokens", hashlib.sha256).digest()
    return {hashlib.sha256(key).hexdigest()[:12]: key for key in given or [derived]}


def signing_keys() -> dict[str, bytes]:
    settings = get_settings()
    return _keys(settings.jwt_keys, settings.secret_key)


def issue_access(user_id: int, session_id: int, tenant_id: int) -> str:
    """A token for 30 minutes, signed with the newest key; worthless once its session has ended."""
    now = utc_now()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": session_id,
        "tid": tenant_id,
        "iat": now,
        "exp": now + timedelta(seconds=ACCESS_SECONDS),
        "jti": crypto.random_token(9),
    }
    key_id, key = next(iter(signing_keys().items()))
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id})


def read_access(token: str) -> Claims:
    """The claims of a token that one of our keys signed and that has not expired; anything else is refused."""
    try:
        key = signing_keys()[str(jwt.get_unverified_header(token).get("kid"))]
        claims = jwt.decode(
            token, key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER,
            options={"require": ["exp", "iat", "sub", "sid", "tid"]},
        )  # fmt: skip
        ids = int(claims["sub"]), int(claims["sid"]), int(claims["tid"])
        if not all(0 < one < 2**31 for one in ids):
            raise ValueError("no id of ours")
        return Claims(*ids)
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("This access token has expired. Refresh it.", code="token_expired") from None
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
        raise Unauthenticated(INVALID, code="token_invalid") from None


def issue_pair(session: UserSession) -> TokenPair:
    """A fresh access and refresh token of this session; the session lives on from now."""
    now = utc_now()
    refresh = f"rt_{crypto.random_token()}"
    session.expires_at = now + timedelta(days=get_settings().refresh_days)
    session.seen_at = now
    db.session.add(
        RefreshToken(
            session_id=session.id,
            token_hash=crypto.fingerprint(refresh),
            created_at=now,
            expires_at=session.expires_at,
        )
    )
    return TokenPair(issue_access(session.user_id, session.id, session.tenant_id), refresh)


def spend_refresh(token: str) -> UserSession | None:
    """Spend a refresh token and return its live session, or None when it is not good.

    Of two that come at once one wins; the other, like any spent one, ends the family. The caller commits
    before it refuses, so that the revocation stays.
    """
    now = utc_now()
    row = db.session.scalars(
        select(RefreshToken).where(RefreshToken.token_hash == crypto.fingerprint(token))
    ).one_or_none()
    if row is None:
        return None
    session = db.session.get_one(UserSession, row.session_id)
    if not _spend(row.id, now):
        _end_family(session)
        return None
    user = db.session.get_one(User, session.user_id)
    is_good = session.ended_at is None and row.expires_at > now and user.is_enabled
    return session if is_good else None


def _spend(token_id: int, now: Any) -> bool:
    spent = db.session.execute(
        update(RefreshToken).where(RefreshToken.id == token_id, RefreshToken.spent_at.is_(None)).values(spent_at=now)
    )
    return int(getattr(spent, "rowcount", 0)) == 1


def _end_family(session: UserSession) -> None:
    """A spent token came back: whoever holds the newer one may be the thief, so both are signed out."""
    if session.ended_at is not None:
        return
    session.ended_at, session.end_reason = utc_now(), "token reused"
    user = db.session.get_one(User, session.user_id)
    audit.record("session.token_reused", session, label=user.email, tenant_id=session.tenant_id, user=user)
