"""Making a user with a tenant of their own, and the platform's first superadmin."""

from __future__ import annotations

import re
import unicodedata
from secrets import token_hex

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Membership, Role, Tenant, User
from app.accounts.services import audit, password_policy
from app.accounts.services.passwords import hash_password
from app.core.db import db
from app.core.errors import Conflict

TAKEN = "An account could not be made with these details. If you already have one, sign in."


def sign_up(email: str, password: str, *, name: str = "", workspace: str = "", is_superadmin: bool = False) -> User:
    """A new user, admin of a new tenant. Refuses a weak password, and an address that has an account.

    The refusal does not name its reason; sign-up is throttled by address, since without an e-mail
    round trip some difference to a fresh address cannot be hidden.
    """
    email = normal_email(email)
    password_policy.check(password, about=(email, name, workspace))
    password_hash = hash_password(password)
    if db.session.scalar(select(User.id).where(User.email == email)):
        raise Conflict(TAKEN, field="email")
    user = User(
        email=email, password_hash=password_hash, name=" ".join(name.split())[:120], is_superadmin=is_superadmin
    )
    tenant = make_tenant(workspace.strip() or f"{user.display_name}'s workspace")
    db.session.add(user)
    try:
        db.session.flush()
    except IntegrityError:  # the same address, signed up at the same moment
        raise Conflict(TAKEN, field="email") from None
    db.session.add(Membership(user_id=user.id, tenant_id=tenant.id, role=Role.ADMIN))
    db.session.flush()
    audit.record(
        "tenant.created", tenant, after={"name": tenant.name, "slug": tenant.slug}, tenant_id=tenant.id, user=user
    )
    return user


def normal_email(text: str) -> str:
    """One spelling of an address: what sign-up keeps and sign-in looks for."""
    return unicodedata.normalize("NFC", text.strip().lower())


def make_tenant(name: str) -> Tenant:
    """A tenant with an address of its own."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "workspace"
    tenant = Tenant(name=" ".join(name.split())[:120], slug=f"{slug}-{token_hex(3)}")
    db.session.add(tenant)
    db.session.flush()
    return tenant


def has_superadmin() -> bool:
    return db.session.scalar(select(User.id).where(User.is_superadmin).limit(1)) is not None


def set_up_superadmin(email: str, password: str) -> User:
    """The platform's first superadmin; refused once there is one, also to the slower of two at a time."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SELECT pg_advisory_xact_lock(7261001)"))  # SQLite has one writer anyway
    if has_superadmin():
        raise Conflict("This platform already has an admin. Ask them to make you one.")
    return sign_up(email, password, is_superadmin=True)
