"""Two-factor as the stratum contract shows: one's own, for people and not for API keys."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app.accounts.guards import current_session, current_tenant, current_user, open_without_mfa, signed_in
from app.accounts.schemas.mfa import BackupCodesOut, CodeIn, DisableIn, SetupOut, StatusOut, SwitchedOut
from app.accounts.services import backup_codes, mfa, passkeys, totp
from app.core.clock import iso
from app.core.describe import describe
from app.core.http import read_json

bp = Blueprint("mfa_api", __name__, url_prefix="/api/v1/mfa")
TAG = "Two-factor"


@bp.get("")
@describe("Your second factors", TAG, answers={200: StatusOut})
@signed_in
@open_without_mfa
def status() -> Response:
    user = current_user()
    found = totp.find_secret(user.id)
    return jsonify(
        enabled=user.has_mfa,
        confirmed_at=iso(found.confirmed_at) if found else None,
        backup_codes_left=backup_codes.count_left(user.id) if user.has_mfa else 0,
        passkeys=[
            {"id": key.id, "name": key.name, "created_at": iso(key.created_at), "last_used_at": iso(key.last_used_at)}
            for key in passkeys.list_of(user.id)
        ],
        is_required=current_tenant().requires_mfa,
    )


@bp.post("/enable")
@describe("Begin with an authenticator app", TAG, answers={200: SetupOut}, errors=(409,))
@signed_in
@open_without_mfa
def enable() -> Response:
    setup = mfa.start(current_user())
    return jsonify(
        secret=setup.secret, qr_code_url=setup.url, backup_codes=setup.backup_codes, qr_svg=setup.qr_svg
    )  # fmt: skip


@bp.post("/verify")
@describe("Put the app in force with its first code", TAG, body=CodeIn, answers={200: SwitchedOut}, errors=(409, 503))
@signed_in
@open_without_mfa
def verify() -> Response:
    mfa.verify(current_user(), read_json(CodeIn).code, session=current_session())
    return jsonify(success=True, message="Two-factor is on.", mfa_enabled=True)


@bp.post("/disable")
@describe("Turn the app off", TAG, body=DisableIn, answers={200: SwitchedOut}, errors=(409, 503))
@signed_in
@open_without_mfa
def disable() -> Response:
    body, user = read_json(DisableIn), current_user()
    mfa.disable(user, body.password, body.code)
    return jsonify(success=True, message="Codes from an app are off.", mfa_enabled=user.has_mfa)


@bp.post("/backup-codes")
@describe("New backup codes", TAG, body=CodeIn, answers={200: BackupCodesOut}, errors=(409, 503))
@signed_in
@open_without_mfa
def make_backup_codes() -> Response:
    return jsonify(backup_codes=mfa.new_backup_codes(current_user(), read_json(CodeIn).code))
