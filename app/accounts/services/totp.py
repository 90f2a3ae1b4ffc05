"""Codes from an authenticator app: six digits of every half minute, each good once."""

from __future__ import annotations

import hmac
from datetime import datetime
from io import BytesIO

import pyotp
import segno
from sqlalchemy import update

from app.accounts.models import TotpSecret
from app.core.clock import utc_now
from app.core.db import db

ISSUER = "Parley"
STEP_SECONDS = 30
DRIFT_STEPS = 1  # a clock may be half a minute off, either way


def new_secret() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return pyotp.random_base32(32)


def provisioning_url(secret: str, label: str) -> str:
    """What the QR code says: an otpauth address with our name and the account's."""
    return pyotp.TOTP(secret).provisioning_uri(name=label, issuer_name=ISSUER)


def qr_svg(url: str) -> str:
    """A picture of the address: dark on white whatever the theme, with its quiet zone, no style attributes."""
    picture = BytesIO()
    code = segno.make(url, error="m", micro=False)
    code.save(picture, kind="svg", xmldecl=False, omitsize=True, border=4, dark="#000", light="#fff", svgclass="ply-qr")
    return picture.getvalue().decode().strip()


def find_secret(user_id: int) -> TotpSecret | None:
    return db.session.get(TotpSecret, user_id, populate_existing=True)


def is_on(user_id: int) -> bool:
    """Whether the user has confirmed an app."""
    found = find_secret(user_id)
    return found is not None and found.confirmed_at is not None


def spend(user_id: int, code: str, *, confirm_at: datetime | None = None) -> bool:
    """Use up a code; of two uses of one code, even at once, one wins. An older code than the last is refused too.

    With `confirm_at` the code puts a secret in force that was not yet; otherwise it must be in force.
    """
    found = find_secret(user_id)
    step = _matching_step(found.secret, code) if found else None
    if step is None:
        return False
    in_force = TotpSecret.confirmed_at.is_(None) if confirm_at else TotpSecret.confirmed_at.is_not(None)
    statement = update(TotpSecret).where(TotpSecret.user_id == user_id, TotpSecret.last_step < step, in_force)
    values = {"last_step": step} | ({"confirmed_at": confirm_at} if confirm_at else {})
    return int(getattr(db.session.execute(statement.values(values)), "rowcount", 0)) == 1


def _matching_step(secret: str, code: str) -> int | None:
    """The half minute whose code this is; every one in reach is compared, so that timing tells nothing."""
    totp, now = pyotp.TOTP(secret), int(utc_now().timestamp()) // STEP_SECONDS
    matching = None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.at(step * STEP_SECONDS).encode(), code.encode()):
            matching = step
    return matching
