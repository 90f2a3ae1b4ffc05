"""API keys: made, found by a request's bearer, rotated with an overlap, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import BindParameter, Select, and_, bindparam, func, or_, select, update

from app.accounts.models import ApiKey, Membership, Scope, Tenant, User
from app.accounts.services import audit
from app.core import crypto
from app.core.clock import utc_now
from app.core.db import db, get_required
from app.core.errors import Conflict, ValidationFailed
from app.core.paging import Page, paginate
from app.core.tenancy import platform_scope

PREFIX, MESSAGING_PREFIX = "key_", "msg_"
PREFIXES = (PREFIX, MESSAGING_PREFIX)
SHOWN = 12  # characters of the key that lists show
SEEN_EVERY = timedelta(seconds=60)
MAX_KEYS = 100
LONGEST_NAME = 80
MAX_DAYS = 3650
MAX_OVERLAP_HOURS = 168


@dataclass(frozen=True)
class FoundKey:
    """A live key with its tenant and, while they are still there, the user who made it."""

    key: ApiKey
    tenant: Tenant
    user: User | None


def create(
    name: str, scopes: Sequence[str], *, created_by: int | None, expires_at: datetime | None
) -> tuple[ApiKey, str]:
    """A new key of the acting tenant and its text, which is kept nowhere.

    Refuses a name that is empty or over 80 characters, no or unknown scopes, an expiry that has passed or lies
    over ten years ahead, and a 101st key. A scope named twice counts once.
    """
    name, chosen = _checked_name(name), _checked_scopes(scopes)
    _check_expiry(expires_at)
    if _count_live() >= MAX_KEYS:
        raise Conflict(f"A workspace has at most {MAX_KEYS} keys. Revoke one that is not used.")
    text = (MESSAGING_PREFIX if Scope.MESSAGING in chosen else PREFIX) + crypto.random_token()
    key = ApiKey(
        name=name, scopes=chosen, prefix=text[:SHOWN], key_hash=crypto.fingerprint(text),
        created_by=created_by, expires_at=expires_at,
    )  # fmt: skip
    db.session.add(key)
    db.session.flush()
    audit.record("api_key.created", key, after={"name": name, "scopes": key.scopes, "expires_at": expires_at})
    return key, text


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise ValidationFailed(f"name: enter a name of at most {LONGEST_NAME} characters.", field="name")
    return name


def _checked_scopes(scopes: Sequence[str]) -> list[str]:
    """In the order they are listed everywhere, each once."""
    unknown = [scope for scope in scopes if scope not in list(Scope)]
    if unknown or not scopes:
        raise ValidationFailed(f"scopes: choose at least one of {', '.join(Scope)}.", field="scopes")
    return [scope.value for scope in Scope if scope in scopes]


def _check_expiry(expires_at: datetime | None) -> None:
    if expires_at is None:
        return
    if expires_at <= utc_now():
        raise ValidationFailed("expires_at: must be in the future.", field="expires_at")
    if expires_at > utc_now() + timedelta(days=MAX_DAYS + 1):
        raise ValidationFailed("expires_at: must be within ten years.", field="expires_at")


def _count_live() -> int:
    return db.session.scalar(select(func.count(ApiKey.id)).where(*_live(utc_now()))) or 0


def find_anywhere(text: str) -> FoundKey | None:
    """Whom a key speaks for, or None for one that is unknown, revoked, expired or of a closed tenant. One query.

    Across tenants: the key is what says which one is acting. Its maker counts while they are a live member.
    """
    with platform_scope():
        row = db.session.execute(_whose_key(), {"hash": crypto.fingerprint(text), "now": utc_now()}).one_or_none()
    return FoundKey(row[0], row[1], row[2]) if row else None


@cache
def _whose_key() -> Select[ApiKey, Tenant, User]:
    """Built once: every call with a key asks it, and building it costs more than the answer."""
    return (
        select(ApiKey, Tenant, User)
        .join(Tenant, Tenant.id == ApiKey.tenant_id)
        .outerjoin(
            Membership,
            (Membership.user_id == ApiKey.created_by) & (Membership.tenant_id == Tenant.id) & Membership.is_active,
        )
        .outerjoin(User, (User.id == Membership.user_id) & User.is_enabled)
        .where(ApiKey.key_hash == bindparam("hash"), *_live(bindparam("now")), Tenant.is_active)
    )


def find_by_id(key_id: int) -> ApiKey | None:
    """The key while it works and its tenant is open, whatever tenant is bound: for those who already showed it."""
    statement = (
        select(ApiKey)
        .join(Tenant, Tenant.id == ApiKey.tenant_id)
        .where(ApiKey.id == key_id, *_live(utc_now()), Tenant.is_active)
        .execution_options(populate_existing=True)  # a long request asks again for what may have changed
    )
    with platform_scope():
        return db.session.scalars(statement).one_or_none()


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


def list_ended(limit: int) -> list[ApiKey]:
    """The acting tenant's keys that were revoked or have expired, newest first."""
    statement = select(ApiKey).where(~and_(*_live(utc_now()))).order_by(ApiKey.id.desc()).limit(limit)
    return list(db.session.scalars(statement))


def page_keys(page: int, limit: int) -> Page[ApiKey]:
    """The acting tenant's keys, those that ended too, newest first."""
    return paginate(select(ApiKey).order_by(ApiKey.id.desc()), page, limit)


def name_makers(keys: Sequence[ApiKey]) -> dict[int, str]:
    """What those who made these keys are called, by id; one query."""
    ids = {key.created_by for key in keys if key.created_by is not None}
    users = db.session.scalars(select(User).where(User.id.in_(ids))) if ids else ()
    return {user.id: user.display_name for user in users}


def state_of(key: ApiKey) -> str:
    """live; ending (rotated, works for the overlap); expired; revoked."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= utc_now():
        return "expired"
    return "ending" if key.replaced_by_id else "live"


def revoke(key_id: int) -> ApiKey:
    """End a key at once; ending it again changes nothing."""
    key = get_required(ApiKey, key_id, for_update=True, label="API key")
    if key.revoked_at is None:
        key.revoked_at = utc_now()
        audit.record("api_key.revoked", key)
    return key


def rotate(key_id: int, *, created_by: int | None, overlap: timedelta) -> tuple[ApiKey, str]:
    """A new key like the old one, which goes on working for the overlap; refused for one that ended or was rotated.

    The new one lives as long as the old one was meant to.
    """
    if not timedelta(0) <= overlap <= timedelta(hours=MAX_OVERLAP_HOURS):
        raise ValidationFailed(f"overlap_hours: must be from 0 to {MAX_OVERLAP_HOURS}.", field="overlap_hours")
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


def _live(now: datetime | BindParameter[datetime]) -> tuple:
    return ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
