"""Ten codes on paper for the day the phone is gone: shown once, kept hashed, each good once."""

from __future__ import annotations

import hmac
import secrets

from sqlalchemy import delete, func, select, update

from app.accounts.models import BackupCode
from app.core import crypto
from app.core.clock import utc_now
from app.core.db import db

N_CODES = 10
HALF = 5  # characters on each side of the dash
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike; ten of them are 49 bits


def normal(code: str) -> str:
    """A code as it is compared: people type it with or without the dash, and in capitals."""
    return "".join(code.split()).replace("-", "").lower()


def replace(user_id: int) -> list[str]:
    """Ten new codes, kept nowhere but as hashes; the old ones are worthless."""
    remove(user_id)
    codes = [f"{_letters()}-{_letters()}" for _ in range(N_CODES)]
    db.session.add_all(BackupCode(user_id=user_id, code_hash=crypto.fingerprint(normal(code))) for code in codes)
    db.session.flush()
    return codes


def _letters() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(HALF))


def remove(user_id: int) -> None:
    db.session.execute(delete(BackupCode).where(BackupCode.user_id == user_id))


def count_left(user_id: int) -> int:
    statement = select(func.count(BackupCode.id)).where(BackupCode.user_id == user_id, BackupCode.used_at.is_(None))
    return db.session.scalar(statement) or 0


def spend(user_id: int, code: str) -> bool:
    """Use up an unused code; of two uses of one code, even at once, one wins."""
    rows = db.session.scalars(select(BackupCode).where(BackupCode.user_id == user_id, BackupCode.used_at.is_(None)))
    given, matching = crypto.fingerprint(normal(code)), None
    for row in rows.all():  # all are compared, so that timing tells nothing
        if hmac.compare_digest(row.code_hash, given):
            matching = row.id
    statement = update(BackupCode).where(BackupCode.id == matching, BackupCode.used_at.is_(None))
    return int(getattr(db.session.execute(statement.values(used_at=utc_now())), "rowcount", 0)) == 1
