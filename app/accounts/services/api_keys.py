"""API keys: made, found by a request's bearer, rotated with an overlap, revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from app.accounts.models import ApiKey, Membership, Scope, Tenant, User
from app.accounts.services import audit
from app.core import crypto
from app.core.clock import utc_now
from app.core.db import db, get_required
from app.core.errors import Conflict, ValidationFailed
from app.core.tenancy import platform_scope

PREFIX, MESSAGING_PREFIX = "key_", "msg_"
PREFIXES = (PREFIX, MESSAGING_PREFIX)
SHOWN = 12  # characters of the key that lists show
SEEN_EVERY = timedelta(seconds=60)
MAX_KEYS = 100


@dataclass(frozen=True)
class FoundKey:
    """A live key with its tenant and, while they are still there, the user who made it."""

    key: ApiKey
    tenant: Tenant
    user: User | None


def create(name: str, scopes: list[str], *, created_by: int | None, expires_at: datetime | None) -> tuple[ApiKey, str]:
    """A new key of the acting tenant and its text, which is kept nowhere."""
    if expires_at is not None and expires_at <= utc_now():
        raise ValidationFailed("expires_at: must be in the future.", field="expires_at")
    if len(list_live()) >= MAX_KEYS:
        raise Conflict(f"A workspace has at most {MAX_KEYS} keys. Revoke one that is not used.")
    text = (MESSAGING_PREFIX if Scope.MESSAGING in scopes else PREFIX) + crypto.random_token()
    key = ApiKey(
        name=name, scopes=[str(scope) for scope in scopes], prefix=text[:SHOWN], key_hash=crypto.fingerprint(text),
        created_by=created_by, expires_at=expires_at,
    )  # fmt: skip
    db.session.add(key)
    db.session.flush()
    audit.record("api_key.created", key, after={"name": name, "scopes": key.scopes, "expires_at": expires_at})
    return key, text


def find_anywhere(text: str) -> FoundKey | None:
    """Whom a key speaks for, or None for one that is unknown, revoked, expired or of a closed tenant. One query.

    Across tenants: the key is what says which one is acting. Its maker counts while they are a live member.
    """
    statement = (
        select(ApiKey, Tenant, User)
        .join(Tenant, Tenant.id == ApiKey.tenant_id)
        .outerjoin(
            Membership,
            (Membership.user_id == ApiKey.created_by) & (Membership.tenant_id == Tenant.id) & Membership.is_active,
        )
        .outerjoin(User, (User.id == Membership.user_id) & User.is_enabled)
        .where(ApiKey.key_hash == crypto.fingerprint(text), *_live(utc_now()), Tenant.is_active)
    )
    with platform_scope():
        row = db.session.execute(statement).one_or_none()
    return FoundKey(row[0], row[1], row[2]) if row else None


def find_by_id(key_id: int) -> ApiKey | None:
    """The key while it works, whatever tenant is bound: for those who already showed it."""
    with platform_scope():
        return db.session.scalars(select(ApiKey).where(ApiKey.id == key_id, *_live(utc_now()))).one_or_none()


def is_due_to_be_seen(key: ApiKey) -> bool:
    return key.last_used_at is None or utc_now() - key.last_used_at > SEEN_EVERY


def mark_used(key: ApiKey, address: str) -> None:
    """Note the use, at most once a minute."""
    db.session.execute(
        update(ApiKey)
        .where(ApiKey.id == key.id)
        .values(last_used_at=utc_now(), last_used_address=address[:64], updated_at=ApiKey.updated_at)
    )


def list_live() -> list[ApiKey]:
    """The acting tenant's keys that still work, newest first."""
    return list(db.session.scalars(select(ApiKey).where(*_live(utc_now())).order_by(ApiKey.id.desc())))


def revoke(key_id: int) -> ApiKey:
    """End a key at once; ending it again changes nothing."""
    key = get_required(ApiKey, key_id, for_update=True, label="API key")
    if key.revoked_at is None:
        key.revoked_at = utc_now()
        audit.record("api_key.revoked", key)
    return key


def rotate(key_id: int, *, created_by: int | None, overlap: timedelta) -> tuple[ApiKey, str]:
    """A new key like the old one, which goes on working for the overlap; refused for one that ended or was rotated."""
    old = get_required(ApiKey, key_id, for_update=True, label="API key")
    now = utc_now()
    if old.revoked_at or (old.expires_at and old.expires_at <= now) or old.replaced_by_id:
        raise Conflict("This key has ended or was rotated before. Make a new one.")
    expires_at = now + (old.expires_at - old.created_at) if old.expires_at else None
    new, text = create(old.name, old.scopes, created_by=created_by, expires_at=expires_at)
    old.replaced_by_id = new.id
    old.expires_at = min(old.expires_at or now + overlap, now + overlap)
    audit.record("api_key.rotated", old, after={"replaced_by": new.id, "works_until": old.expires_at})
    return new, text


def _live(now: datetime) -> tuple:
    return ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
