"""Turning two-factor on and off: an authenticator app, its backup codes, and an admin's help when both are lost."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, select

from app.accounts.models import Membership, Passkey, TotpSecret, User, UserSession
from app.accounts.services import audit, backup_codes, factors, second_factor, sessions, totp
from app.accounts.services.members import get_member
from app.accounts.services.passwords import verify_password
from app.accounts.services.signup import normal_email
from app.core import ratelimit
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.errors import Conflict, NotFound, PermissionDenied, ValidationFailed

ALREADY_ON = "Codes from an app are on already. Turn them off first to set up another."
NOT_ON = "Codes from an app are not on."


@dataclass(frozen=True)
class Setup:
    """What an authenticator app needs, and codes for the day it is gone."""

    secret: str
    url: str
    qr_svg: str
    backup_codes: list[str]


def start(user: User, *, with_codes: bool = True) -> Setup:
    """A new secret, not in force until verified, and new backup codes; starting again replaces both.

    A page that shows the codes at the end asks for none here. Whoever has a passkey already keeps their codes: new
    ones would be in force at once, and nobody has shown a second factor.
    """
    with unit_of_work():
        user = factors.lock(user)
        found = totp.find_secret(user.id)
        if found is not None and found.confirmed_at is not None:
            raise Conflict(ALREADY_ON, code="mfa_already_enabled")
        if found is None:
            found = TotpSecret(user_id=user.id)
            db.session.add(found)
        found.secret, found.created_at, found.last_step = totp.new_secret(), utc_now(), 0
        codes = make_codes(user) if with_codes and not user.has_mfa else []
    return setup_of(user, found.secret, codes)


def setup_of(user: User, secret: str, codes: list[str]) -> Setup:
    url = totp.provisioning_url(secret, user.email)
    return Setup(secret, url, totp.qr_svg(url), codes)


def pending(user: User) -> Setup | None:
    """The set-up under way, to be shown again to its owner until it is confirmed."""
    found = totp.find_secret(user.id)
    return setup_of(user, found.secret, []) if found and found.confirmed_at is None else None


def verify(user: User, code: str, *, session: UserSession | None = None) -> None:
    """Put the app in force with its first code; `session` counts from now on as one with a second factor."""
    ratelimit.check("mfa.account", str(user.id))
    now = utc_now()
    with unit_of_work():
        user = factors.lock(user)
        found = totp.find_secret(user.id)
        if found is None or found.confirmed_at is not None:
            raise Conflict(ALREADY_ON if found else "Start by asking for a secret.", code="mfa_not_started")
        if not totp.spend(user.id, backup_codes.normal(code[: second_factor.MAX_CODE]), confirm_at=now):
            raise ValidationFailed("code: is not right. Check the clock of your phone and try again.", field="code")
        factors.settle(user)
        if session is not None:
            session.mfa_at = now
        audit.record("mfa.enabled", user, after={"method": factors.TOTP})
    ratelimit.clear("mfa.account", str(user.id))


def disable(user: User, password: str, code: str) -> None:
    """Turn the app off; needs the password and a code. Refused when it is the last factor and one is required."""
    if not totp.is_on(user.id):
        raise Conflict(NOT_ON, code="mfa_not_enabled")
    check_password(user, password)
    if not factors.has_passkey(user.id):
        factors.refuse_without(user)  # before the code is used up
    _check_code(user, code)
    with unit_of_work():
        user = factors.lock(user)
        db.session.execute(delete(TotpSecret).where(TotpSecret.user_id == user.id))
        factors.settle(user)
        audit.record("mfa.disabled", user, after={"method": factors.TOTP})


def check_password(user: User, password: str) -> None:
    """Confirm with the password; counted apart from codes, since a right code makes those before it moot."""
    ratelimit.check("password.confirm", str(user.id))
    if not verify_password(user.password_hash, password):
        raise ValidationFailed("password: is not right.", field="password")


def _check_code(user: User, code: str) -> None:
    if second_factor.try_code(user, code) is None:
        raise ValidationFailed(f"code: {second_factor.WRONG}", field="code")


def new_backup_codes(user: User, code: str) -> list[str]:
    """Ten new codes in place of the old; needs a code of the app or an old one."""
    if not user.has_mfa:
        raise Conflict("Turn two-factor on first.", code="mfa_not_enabled")
    _check_code(user, code)
    with unit_of_work():
        return make_codes(factors.lock(user))


def make_codes(user: User) -> list[str]:
    """Ten new codes, audited."""
    codes = backup_codes.replace(user.id)
    audit.record("mfa.codes_made", user, after={"left": len(codes)})
    return codes


def reset_for(user_id: int) -> User:
    """Take a member's second factors away, for one who lost theirs; signs them out everywhere.

    Refused for oneself, for someone who belongs to another workspace too and for the platform's admins:
    nobody reaches past their own workspace this way.
    """
    with unit_of_work():
        user = factors.lock(get_member(user_id).user)
        _refuse_reset(user)
        _take_away(user)
        audit.record("mfa.reset", user)
        return user


def operator_reset(email: str) -> None:
    """The same by whoever runs the installation, for anyone; told of in the audit log of each of their tenants."""
    with unit_of_work():
        user = db.session.scalars(select(User).where(User.email == normal_email(email))).one_or_none()
        if user is None or not user.has_mfa:
            raise NotFound("No account with this e-mail has two-factor on.")
        _take_away(factors.lock(user))
        own = select(Membership.tenant_id).where(Membership.user_id == user.id, Membership.is_active)
        for tenant_id in db.session.scalars(own).all():
            audit.record("mfa.reset", user, tenant_id=tenant_id)


def _take_away(user: User) -> None:
    for model in (TotpSecret, Passkey):
        db.session.execute(delete(model).where(model.user_id == user.id))
    backup_codes.remove(user.id)
    user.has_mfa = False
    sessions.end_sessions(user.id, "second factor reset")


def _refuse_reset(user: User) -> None:
    if audit.current_actor().user_id == user.id:
        raise Conflict("Turn your own two-factor off on your security page.")
    if user.is_superadmin or _belongs_elsewhere(user.id):
        raise PermissionDenied("This person also belongs elsewhere. Whoever runs this installation can do it.")
    if not user.has_mfa:
        raise Conflict("This person has no two-factor on.")


def _belongs_elsewhere(user_id: int) -> bool:
    return (db.session.scalar(select(func.count(Membership.id)).where(Membership.user_id == user_id)) or 0) > 1
