"""The second factor at sign-in: whether one is asked for, and checking the code that was given."""

from __future__ import annotations

from app.accounts.models import User
from app.accounts.services import backup_codes, factors, totp
from app.accounts.services.passwords import hash_password, needs_rehash
from app.core import crypto, ratelimit
from app.core.db import unit_of_work
from app.core.errors import Unauthenticated

MAX_CODE = 64  # characters; the longest real one has eleven
WRONG = "This code is not right, was used before or is too old."


def require(user: User, code: str | None) -> bool:
    """Ask for the second factor after the right password; True when it was shown, False when the user has none.

    Raises Unauthenticated: `mfa_required` without a code, `mfa_invalid` for one that is wrong, used or too late;
    RateLimited; Unavailable when attempts cannot be counted. Not for use inside a unit of work.
    """
    if not user.has_mfa:
        return False
    if not code or not code.strip():
        raise Unauthenticated(
            "This account has two-factor on. Send the code of your app, or a backup code, too.",
            code="mfa_required",
            methods=factors.methods(user.id),
        )
    check(user, code)
    return True


def check(user: User, code: str) -> str:
    """Use up a code of the app or a backup code and say which it was; raises as `require` does."""
    method = try_code(user, code)
    if method is None:
        raise Unauthenticated(WRONG, code="mfa_invalid")
    return method


def try_code(user: User, code: str) -> str | None:
    """Like `check`, but None for a code that is no good. A refusal stays in the audit log."""
    ratelimit.check("mfa.account", str(user.id))
    with unit_of_work():
        method = _spend(user.id, code)
        if method is None:
            factors.note("mfa.refused", user)
        elif method == factors.BACKUP_CODE:
            factors.note("mfa.backup_code_used", user, after={"left": backup_codes.count_left(user.id)})
    if method is not None:
        ratelimit.clear("mfa.account", str(user.id))
    return method


def _spend(user_id: int, code: str) -> str | None:
    plain = backup_codes.normal(code[:MAX_CODE])
    if plain.isascii() and plain.isdigit():
        return factors.TOTP if totp.spend(user_id, plain) else None
    return factors.BACKUP_CODE if backup_codes.spend(user_id, plain) else None


def begin(user: User, password: str) -> str:
    """After the right password: keep its hash up to date, and say the mark a sign-in under way carries."""
    if needs_rehash(user.password_hash):
        with unit_of_work():
            user.password_hash = hash_password(password)
    return mark(user)


def mark(user: User) -> str:
    """Tells this password from the next, so that a sign-in under way ends when it changes."""
    return crypto.fingerprint(user.password_hash)[:16]
