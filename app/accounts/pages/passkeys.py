"""One's own passkeys: added, named, removed."""

from __future__ import annotations

from flask import Blueprint, Response, request
from pydantic import BaseModel, Field

from app.accounts.guards import current_session, current_user, open_without_mfa, signed_in
from app.accounts.pages import place
from app.accounts.pages.security import done
from app.accounts.pages.security_view import errors_of, show_codes, show_page
from app.accounts.services import passkeys
from app.core.errors import AppError
from app.core.http import read_json

bp = Blueprint("passkey_pages", __name__, url_prefix="/app/settings/security/passkeys")


class Begin(BaseModel):
    """What the page's script asks with."""

    password: str = Field(max_length=256)


@bp.post("/options")
@signed_in
@open_without_mfa
@place.for_script
def options() -> Response:
    body = read_json(Begin)
    return place.remember(*passkeys.begin(current_user(), body.password, place.place()))


@bp.post("")
@signed_in
@open_without_mfa
def add() -> Response:
    form = request.form
    try:
        codes = passkeys.add(
            current_user(), form.get("credential", ""), place.remembered(), form.get("name", ""), place.place(),
            current_session(),
        )  # fmt: skip
    except AppError as error:
        return show_page(error, errors=errors_of(error, "passkey"))
    return show_codes(codes, is_new=True) if codes else done("The passkey is added.")


@bp.post("/<int:passkey_id>/name")
@signed_in
@open_without_mfa
def rename(passkey_id: int) -> Response:
    try:
        passkeys.rename(current_user(), passkey_id, request.form.get("name", ""))
    except AppError as error:
        return _refused(error, passkey_id)
    return done("The passkey has its new name.")


@bp.post("/<int:passkey_id>/remove")
@signed_in
@open_without_mfa
def remove(passkey_id: int) -> Response:
    try:
        passkeys.remove(current_user(), passkey_id, request.form.get("password", ""))
    except AppError as error:
        return _refused(error, passkey_id)
    return done("The passkey is removed.")


def _refused(error: AppError, passkey_id: int) -> Response:
    """Beside the passkey it is about; an unknown one is simply not found."""
    if error.status == 404:
        raise error
    return show_page(error, errors=errors_of(error, f"passkey_{passkey_id}"))
