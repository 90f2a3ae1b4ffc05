"""Drawing the security page, its set-up step and the codes shown once."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template
from markupsafe import Markup

from app.accounts.guards import current_session, current_tenant, current_user
from app.accounts.pages import place
from app.accounts.services import backup_codes, factors, passkeys, sessions, totp
from app.accounts.services.browsers import browser_name
from app.accounts.services.mfa import Setup
from app.core.errors import AppError


def errors_of(error: AppError, form: str) -> dict[str, str]:
    """The refusal beside its field, as `off_code`; one of no field belongs to the form, as `off`."""
    field = error.details.get("field", "")
    return {f"{form}_{field}" if field else form: sentence(error)}


def sentence(error: AppError) -> str:
    """The refusal in words, without the name of the field it stands beside."""
    field = error.details.get("field", "")
    text = error.message.removeprefix(f"{field}: ") if field else error.message
    if field and text.startswith("is not right."):
        text = f"That {text}"
    return text[:1].upper() + text[1:]


def show_page(error: AppError | None = None, *, errors: dict[str, str] | None = None) -> Response:
    """The whole page; what was refused stands beside its field or above."""
    user = current_user()
    page = render_template(
        "settings/security.html",
        user=user,
        app=totp.find_secret(user.id),
        codes_left=backup_codes.count_left(user.id),
        n_codes=backup_codes.N_CODES,
        passkeys=passkeys.list_of(user.id),
        passkeys_problem=place.problem(),
        better_address=place.better_address(),
        is_required=current_tenant().requires_mfa,
        required_by=factors.required_by(user.id),
        sessions=[(row, browser_name(row.browser)) for row in sessions.list_sessions(user.id)],
        this_session=current_session().id,
        errors=errors or {},
        message=sentence(error) if error and not errors else "",
    )
    return _answer(page, error)


def show_setup(setup: Setup, error: AppError | None = None) -> Response:
    page = render_template(
        "settings/security_setup.html",
        qr=Markup(setup.qr_svg),  # noqa: S704 - drawn by us from numbers
        secret=" ".join(setup.secret[i : i + 4] for i in range(0, len(setup.secret), 4)),
        url=setup.url,
        error=sentence(error) if error else "",
    )
    return _answer(page, error)


def show_codes(codes: list[str], *, is_new: bool = False) -> Response:
    """The only page that ever holds them."""
    return _answer(render_template("settings/security_codes.html", codes=codes, is_new=is_new), None)


def _answer(page: Any, error: AppError | None) -> Response:
    response = make_response(page, error.status if error else 200)
    response.headers.update(error.headers if error else {})
    return response
