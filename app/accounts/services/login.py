"""Signing in with a password: throttled, and alike for every reason to refuse."""

from __future__ import annotations

import time

from sqlalchemy import select

from app.accounts.models import User
from app.accounts.services import audit
from app.accounts.services.passwords import verify_password
from app.accounts.services.sessions import find_membership
from app.accounts.services.signup import normal_email
from app.core import crypto, ratelimit
from app.core.config import get_settings
from app.core.db import db, unit_of_work
from app.core.errors import Unauthenticated


def throttle(email: str, address: str) -> None:
    """Count an attempt; raises RateLimited. Throttled by account and by address, known or not alike."""
    ratelimit.check("login.address", address)
    ratelimit.check("login.account", crypto.fingerprint(normal_email(email)))


def authenticate(email: str, password: str) -> User:
    """The user with this e-mail and password; one refusal, and one duration, for every reason."""
    began = time.monotonic()
    user = db.session.scalars(select(User).where(User.email == normal_email(email))).one_or_none()
    fits = verify_password(user.password_hash if user else None, password)
    if user is None or not fits or not user.is_enabled:
        if user is not None:
            _note_failure(user)
        _wait_since(began)
        raise Unauthenticated("That e-mail and password do not match an account.", code="invalid_credentials")
    ratelimit.clear("login.account", crypto.fingerprint(user.email))
    return user


def _wait_since(began: float) -> None:
    """Only a known account's refusal is written to an audit log; that takes milliseconds that could be measured."""
    db.session.commit()  # no connection is held while waiting
    time.sleep(max(0.0, began + get_settings().login_refusal_seconds - time.monotonic()))


def _note_failure(user: User) -> None:
    """In the audit log of the tenant they would have come to."""
    membership = find_membership(user.id)
    if membership is not None:
        with unit_of_work():
            audit.record("session.refused", user, tenant_id=membership.tenant_id, user=user)
