"""Setting a forgotten password by a signed link that works once and for an hour."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.accounts.models import Membership, User
from app.accounts.services import audit, mails, members, password_policy, sessions
from app.accounts.services.mails import Mail
from app.accounts.services.passwords import hash_password
from app.accounts.services.signup import normal_email
from app.core import crypto, links, mail, ratelimit, signing
from app.core.db import db
from app.core.errors import BadRequest, Conflict, NotFound, PermissionDenied
from app.core.tenancy import current_tenant_id, platform_scope

PURPOSE = "password-reset"
MAX_AGE_SECONDS = 3600
ANSWER = "If an account has this e-mail, a link to set a new password is on its way to it. It works for one hour."
NO_MAIL = (
    "This installation sends no mail. An admin of your workspace can make you a link to set a new password, "
    "in Settings, Team. Are you the only admin? Then whoever runs this installation can."
)
INVALID = "This link is not good any more. It works once, and for one hour. Ask for a new one."
OTHERS_TOO = (
    "This person belongs to another workspace as well, so their password is not yours to set. "
    "They can ask for a link themselves, at the sign-in page."
)


def throttle(email: str, address: str) -> None:
    """Count a request for a link; raises RateLimited. By address and by account, known or not alike."""
    ratelimit.check("password.forgot.address", address)
    ratelimit.check("password.forgot.account", crypto.fingerprint(normal_email(email)))


def answer() -> str:
    """What whoever asks for a link is told, whether or not there is such an account."""
    return ANSWER if mail.is_set_up() else NO_MAIL


def request_reset(email: str) -> None:
    """Mail a link to the account of this address. Known or not, the caller learns nothing and the work is the same."""
    user = db.session.scalars(select(User).where(User.email == normal_email(email))).one_or_none()
    with platform_scope():  # the job belongs to no tenant: nobody's list of work may tell of it
        mails.post("password_reset", user.id if user else 0)


@mails.kind("password_reset")
def _mail(user_id: int) -> Mail | None:
    user = db.session.get(User, user_id)
    if user is None or not user.is_enabled:
        return None
    words = {"name": user.display_name, "email": user.email, "link": make_link(user)}
    return Mail(user.email, "Set a new password for Parley", words)


def make_link(user: User, *, by_tenant_id: int | None = None) -> str:
    """A link that sets this user's password, void once it is used, the password changes, or an hour has passed.

    One that an admin makes names their tenant too, and is void when the user has another by then.
    """
    payload = {"user": user.id, "piece": _piece(user), "tenant": by_tenant_id}
    return links.absolute(f"/password/reset/{signing.sign(PURPOSE, payload)}")


def reset_link_for(user_id: int) -> str:
    """A link that an admin of the acting tenant hands to a member of it.

    Refused for who belongs to another tenant too, and for a superadmin: it would open what the admin may not.
    """
    user = members.get_member(user_id).user
    if user.is_superadmin:
        raise PermissionDenied("This is the platform's own account: its password is not a workspace's to set.")
    if not _is_alone(user, current_tenant_id()):
        raise PermissionDenied(OTHERS_TOO)
    if not user.is_enabled:
        raise Conflict("This account is deactivated, so it needs no password.")
    audit.record("password.reset_link_made", user)
    return make_link(user, by_tenant_id=current_tenant_id())


def operator_link(email: str) -> str:
    """A link that whoever runs the installation hands to anyone, told of in the audit log of each of their tenants."""
    user = db.session.scalars(select(User).where(User.email == normal_email(email))).one_or_none()
    if user is None or not user.is_enabled:
        raise NotFound("No account with this e-mail can sign in.")
    _record("password.reset_link_made", user)
    return make_link(user)


def find_user(token: str, *, for_update: bool = False) -> User:
    """Whose password the token may set; BadRequest for one that is forged, old, spent, or void."""
    payload: Any = signing.unsign(PURPOSE, token, MAX_AGE_SECONDS)
    user = _load(payload["user"], for_update) if payload else None
    if user is None or not user.is_enabled or payload["piece"] != _piece(user):
        raise BadRequest(INVALID, code="reset_link_invalid")
    tenant_id = payload["tenant"]
    if tenant_id is not None and (user.is_superadmin or not _is_alone(user, tenant_id)):
        raise BadRequest(INVALID, code="reset_link_invalid")
    return user


def reset(token: str, new_password: str) -> User:
    """Set the password and end every session; signing in, with the second factor where there is one, comes after."""
    user = find_user(token, for_update=True)
    password_policy.check(new_password, about=password_policy.about(user))
    user.password_hash = hash_password(new_password)
    ended = sessions.end_sessions(user.id, "password reset")
    _record("password.reset", user, by=user, ended_sessions=ended)
    ratelimit.clear("login.account", crypto.fingerprint(user.email))
    return user


def _load(user_id: int, for_update: bool) -> User | None:
    statement = select(User).where(User.id == user_id)
    if for_update:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(statement).one_or_none()


def _piece(user: User) -> str:
    """A part of a hash of the stored hash: another password, or the same one hashed anew, has another."""
    return crypto.fingerprint(user.password_hash)[:24]


def _is_alone(user: User, tenant_id: int) -> bool:
    """Whether the user belongs to this tenant and to no other, active there or not."""
    own = select(Membership.tenant_id).where(Membership.user_id == user.id)
    return set(db.session.scalars(own)) == {tenant_id}


def _record(action: str, user: User, *, by: User | None = None, **facts: int) -> None:
    """In the audit log of each of the person's tenants: all of them are opened by this password."""
    own = select(Membership.tenant_id).where(Membership.user_id == user.id, Membership.is_active)
    for tenant_id in db.session.scalars(own).all():
        audit.record(action, user, after=facts, tenant_id=tenant_id, user=by)
