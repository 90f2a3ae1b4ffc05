"""Signing in with a passkey: alone, since it shows the person too, or as the second factor after the password."""

from __future__ import annotations

import webauthn
from sqlalchemy import select, update
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, options_to_json, parse_authentication_credential_json
from webauthn.helpers.structs import AuthenticationCredential, UserVerificationRequirement

from app.accounts.models import Passkey, User
from app.accounts.services import challenges, factors
from app.accounts.services.passkeys import MALFORMED, TIMEOUT_MS, Place, descriptors
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.errors import Unauthenticated

REFUSED = "This passkey does not open an account here. Try another, or sign in with your password."
TOO_LATE = "That took too long. Please try again."


def begin(place: Place, user: User | None = None) -> tuple[str, str]:
    """What the browser needs to use a passkey (JSON), and the challenge in it; with `user` only theirs will do."""
    challenge = challenges.issue(_purpose(user))
    options = webauthn.generate_authentication_options(
        rp_id=place.name,
        challenge=bytes.fromhex(challenge),
        timeout=TIMEOUT_MS,
        allow_credentials=descriptors(user.id) if user else None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options), challenge


def _purpose(user: User | None) -> str:
    return f"second-step:{user.id}" if user else "sign-in"


def finish(place: Place, credential: str, challenge: str, user: User | None = None) -> User:
    """Whose passkey signed the challenge. Raises Unauthenticated; a signature that does not fit is audited."""
    if not challenges.spend(challenge, _purpose(user)):
        raise Unauthenticated(TOO_LATE, code="passkey_too_late")
    given = _parse(credential)
    key = db.session.scalars(select(Passkey).where(Passkey.credential_id == given.id)).one_or_none()
    owner = db.session.get(User, key.user_id) if key else None
    if key is None or owner is None or not owner.is_enabled or (user is not None and owner.id != user.id):
        raise _refusal()
    verified = _verify(place, given, challenge, key)
    if verified is None or not _is_handle_of(owner, given):
        raise _refusal("passkey.refused", owner)
    if not _count_on(key, verified):
        raise _refusal("passkey.count_went_back", owner)
    return owner


def _parse(credential: str) -> AuthenticationCredential:
    try:
        return parse_authentication_credential_json(credential)
    except MALFORMED:
        raise _refusal() from None


def _verify(
    place: Place, given: AuthenticationCredential, challenge: str, key: Passkey
) -> VerifiedAuthentication | None:
    try:
        return webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=bytes.fromhex(challenge),
            expected_rp_id=place.name,
            expected_origin=place.origin,
            credential_public_key=base64url_to_bytes(key.public_key),
            credential_current_sign_count=0,  # `_count_on` compares it, so that two at once cannot both win
            require_user_verification=True,
        )
    except MALFORMED:
        return None


def _is_handle_of(owner: User, given: AuthenticationCredential) -> bool:
    handle = given.response.user_handle
    return handle is None or handle == base64url_to_bytes(owner.webauthn_handle or "")


def _count_on(key: Passkey, verified: VerifiedAuthentication) -> bool:
    """Note the use; False when the authenticator's count went back, which a copy of it would do.

    Those that do not count always say zero.
    """
    count = verified.new_sign_count
    moved_on = Passkey.sign_count < count if count else Passkey.sign_count == 0
    values = {"sign_count": count, "last_used_at": utc_now(), "is_backed_up": verified.credential_backed_up}
    with unit_of_work():
        result = db.session.execute(update(Passkey).where(Passkey.id == key.id, moved_on).values(values))
    return int(getattr(result, "rowcount", 0)) == 1


def _refusal(action: str = "", owner: User | None = None) -> Unauthenticated:
    if owner is not None:
        with unit_of_work():
            factors.note(action, owner)
    return Unauthenticated(REFUSED, code="passkey_invalid")
