"""A user's passkeys: added with the password, listed, named and removed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import webauthn
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from app.accounts.models import Passkey, User, UserSession
from app.accounts.services import audit, challenges, factors, mfa
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.errors import BadRequest, Conflict, NotFound, ValidationFailed

MAX_PASSKEYS = 20
HANDLE_BYTES = 64
TIMEOUT_MS = 120_000
# What the library raises; RecursionError for JSON that is nested too deep.
MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Place:
    """Where the browser is: passkeys are bound to the name of the site and the origin of its pages."""

    name: str
    origin: str


def list_of(user_id: int) -> list[Passkey]:
    """The user's passkeys, oldest first."""
    return list(db.session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)))


def begin(user: User, password: str, place: Place) -> tuple[str, str]:
    """What the browser needs to make a passkey (JSON), and the challenge in it. Needs the password."""
    mfa.check_password(user, password)
    with unit_of_work():
        user = factors.lock(user)
        _refuse_more(user.id)
        user.webauthn_handle = user.webauthn_handle or bytes_to_base64url(secrets.token_bytes(HANDLE_BYTES))
    challenge = challenges.issue(_purpose(user))
    options = webauthn.generate_registration_options(
        rp_id=place.name,
        rp_name="Parley",
        user_name=user.email,
        user_id=base64url_to_bytes(user.webauthn_handle),
        user_display_name=user.display_name,
        challenge=bytes.fromhex(challenge),
        timeout=TIMEOUT_MS,
        exclude_credentials=descriptors(user.id),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return options_to_json(options), challenge


def _purpose(user: User) -> str:
    return f"add:{user.id}"


def _refuse_more(user_id: int) -> None:
    if (db.session.scalar(select(func.count(Passkey.id)).where(Passkey.user_id == user_id)) or 0) >= MAX_PASSKEYS:
        raise Conflict(f"An account has at most {MAX_PASSKEYS} passkeys. Remove one that is not used.")


def descriptors(user_id: int) -> list[PublicKeyCredentialDescriptor]:
    """The user's passkeys as a browser asks for them."""
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(key.credential_id),
            transports=[AuthenticatorTransport(name) for name in key.transports],
        )
        for key in list_of(user_id)
    ]


def add(user: User, credential: str, challenge: str, name: str, place: Place, session: UserSession) -> list[str]:
    """Keep the passkey the browser made; returns backup codes when it is the user's first second factor."""
    if not challenges.spend(challenge, _purpose(user)):
        raise BadRequest("That took too long. Please try again.", code="passkey_too_late")
    verified = _verify(credential, challenge, place)
    with unit_of_work():
        user = factors.lock(user)
        _refuse_more(user.id)
        is_first = not user.has_mfa
        key = _keep(user, verified, _transports(credential), _clean(name))
        factors.settle(user)
        session.mfa_at = utc_now()
        audit.record("passkey.added", key)
        if is_first:
            audit.record("mfa.enabled", user, after={"method": factors.PASSKEY})
        return mfa.make_codes(user) if is_first else []


def _verify(credential: str, challenge: str, place: Place) -> VerifiedRegistration:
    try:
        return webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=bytes.fromhex(challenge),
            expected_rp_id=place.name,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except MALFORMED:
        raise BadRequest("This passkey could not be verified. Please try again.", code="passkey_invalid") from None


def _transports(credential: str) -> list[str]:
    """How the authenticator may be reached; names we do not know are left out."""
    found = webauthn.helpers.parse_registration_credential_json(credential).response.transports or []
    return [transport.value for transport in found]


def _keep(user: User, verified: VerifiedRegistration, transports: list[str], name: str) -> Passkey:
    key = Passkey(
        user_id=user.id,
        credential_id=bytes_to_base64url(verified.credential_id),
        public_key=bytes_to_base64url(verified.credential_public_key),
        sign_count=verified.sign_count,
        is_backed_up=verified.credential_backed_up,
        transports=transports,
        name=name or "Passkey",
    )
    db.session.add(key)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("This passkey is registered already.") from None
    return key


def _clean(name: str) -> str:
    return " ".join(name.split())[:80]


def _own(user_id: int, passkey_id: int) -> Passkey:
    key = db.session.scalars(select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user_id)).one_or_none()
    if key is None:
        raise NotFound("There is no such passkey.")
    return key


def rename(user: User, passkey_id: int, name: str) -> None:
    """Set the name the user knows it by."""
    with unit_of_work():
        key = _own(user.id, passkey_id)
        if not _clean(name):
            raise ValidationFailed("name: must not be empty.", field="name")
        before, after = audit.changed(key, {"name": _clean(name)})
        if after:
            audit.record("passkey.renamed", key, before=before, after=after)


def remove(user: User, passkey_id: int, password: str) -> None:
    """Take a passkey away; needs the password. Refused when it is the last factor and one is required."""
    _own(user.id, passkey_id)
    mfa.check_password(user, password)
    with unit_of_work():
        user = factors.lock(user)
        key = _own(user.id, passkey_id)
        db.session.delete(key)
        db.session.flush()
        factors.settle(user)
        audit.record("passkey.removed", key)
        if not user.has_mfa:
            audit.record("mfa.disabled", user, after={"method": factors.PASSKEY})
