"""The people of the workspace: who they are, what they may do, and inviting more of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for

from app.accounts import queries
from app.accounts.forms import field_errors
from app.accounts.guards import current_caller, current_tenant, current_user, may, require_permission
from app.accounts.schemas.users import InvitationCreate, UserQuery, UserUpdate
from app.accounts.services import invitations, mfa, password_reset, permissions, users
from app.core import mail, ratelimit
from app.core.db import unit_of_work
from app.core.errors import AppError, NotFound, ValidationFailed
from app.core.htmx import go_to
from app.core.http import validate

bp = Blueprint("team_pages", __name__, url_prefix="/app/settings/team")
INVITATIONS_SHOWN = 100


@bp.get("")
@require_permission("members.read")
def show() -> Response:
    return _page()


@bp.post("/invite")
@require_permission("members.manage")
def invite() -> Response:
    try:
        body = validate(InvitationCreate, {name: request.form.get(name, "") for name in ("email", "role")})
        ratelimit.check("invite", f"tenant:{current_tenant().id}")
        with unit_of_work():
            invitation = invitations.invite(body.email, body.role, current_caller())
    except AppError as error:
        return _page(error)
    return _done(f"{invitation.email} is invited. {_next_step()}", "invitations")


def _next_step() -> str:
    return "The mail is on its way." if mail.is_set_up() else "Copy the link below and hand it to them."


@bp.post("/invitations/<int:invitation_id>/resend")
@require_permission("members.manage")
def resend(invitation_id: int) -> Response:
    ratelimit.check("invite", f"tenant:{current_tenant().id}")
    with unit_of_work():
        invitation = invitations.renew(invitation_id)
    return _done(f"The invitation of {invitation.email} is good for another week. {_next_step()}", "invitations")


@bp.post("/invitations/<int:invitation_id>/revoke")
@require_permission("members.manage")
def revoke(invitation_id: int) -> Response:
    with unit_of_work():
        invitation = invitations.revoke(invitation_id)
    return _done(f"The invitation of {invitation.email} is revoked: its link no longer works.", "invitations")


@bp.post("/<int:user_id>/role")
@require_permission("members.manage")
def change_role(user_id: int) -> Response:
    return _update(user_id, {"role": request.form.get("role", "")}, "{name} is now {role}.")


@bp.post("/<int:user_id>/deactivate")
@require_permission("members.manage")
def deactivate(user_id: int) -> Response:
    return _update(user_id, {"is_active": False}, "{name} is deactivated and signed out of this workspace.")


@bp.post("/<int:user_id>/activate")
@require_permission("members.manage")
def activate(user_id: int) -> Response:
    return _update(user_id, {"is_active": True}, "{name} is active again.")


def _update(user_id: int, values: dict[str, Any], said: str) -> Response:
    users.get_person(user_id)
    try:
        changes = validate(UserUpdate, values).model_dump(exclude_unset=True)
        with unit_of_work():
            membership = users.update(user_id, changes, current_caller())
    except AppError as error:
        return _refused(error)
    role = f"{'an' if membership.role[0] in 'aeiou' else 'a'} {membership.role}"
    return _done(said.format(name=membership.user.display_name, role=role))


@bp.post("/<int:user_id>/remove")
@require_permission("members.manage")
def remove(user_id: int) -> Response:
    name = users.get_person(user_id).user.display_name
    try:
        with unit_of_work():
            users.remove(user_id, current_caller())
    except AppError as error:
        return _refused(error)
    return _done(f"{name} is removed.")


@bp.post("/<int:user_id>/reset-link")
@require_permission("members.manage")
def make_reset_link(user_id: int) -> Response:
    """Answers with the link itself: it is kept nowhere, so there is no page to lead to."""
    person = users.get_person(user_id).user
    try:
        with unit_of_work():
            link = password_reset.reset_link_for(user_id)
    except AppError as error:
        return _refused(error)
    return _page(link={"url": link, "name": person.display_name})


@bp.post("/<int:user_id>/reset-second-factor")
@require_permission("members.manage")
def reset_second_factor(user_id: int) -> Response:
    name = users.get_person(user_id).user.display_name
    try:
        mfa.reset_for(user_id)
    except AppError as error:
        return _refused(error)
    return _done(f"{name} signs in without a second factor until they set up a new one.")


def _refused(error: AppError) -> Response:
    """Nobody's row is not found; any other refusal is told on the page."""
    if isinstance(error, NotFound):
        raise error
    return _done(error.message, kind="bad")


def _done(text: str, anchor: str = "", kind: str = "ok") -> Response:
    flash(text, kind)
    filters: dict[str, Any] = request.args.to_dict()
    return go_to(url_for("team_pages.show", **filters, _anchor=anchor or None))


def _page(error: AppError | None = None, link: dict[str, str] | None = None) -> Response:
    query = _query()
    found = queries.list_people(query.role, query.is_active, query.q, query.page, query.limit)
    tenant, errors = current_tenant(), field_errors(error)
    chosen = {name: value for name, value in request.args.items() if value and name in ("role", "is_active", "q")}
    page = render_template(
        "settings/team.html",
        people=found,
        role_of=queries.role_of,
        chosen=chosen,
        n_taken=queries.count_users(tenant.id),
        max_users=tenant.max_users,
        own_id=current_user().id,
        invited=_invited(),
        sends_mail=mail.is_set_up(),
        roles=permissions.ROLE_WORDS,
        matrix=permissions.MATRIX,
        table=permissions.TABLE,
        errors=errors,
        message=errors.pop("form", ""),
        typed={name: request.form.get(name, "") for name in ("email", "role")} if error else {},
        link=link,
    )
    response = make_response(page, error.status if error else 200)
    response.headers.update(error.headers if error else {})
    return response


def _query() -> UserQuery:
    """The filters of the address; what makes no sense there is passed over."""
    try:
        return validate(UserQuery, {name: value for name, value in request.args.items() if value != ""})
    except ValidationFailed:
        return UserQuery(page=1, limit=20, q="")


def _invited() -> list[dict[str, Any]]:
    """Open invitations with their links, for those who may hand them on."""
    if not may("members.manage"):
        return []
    rows = queries.list_open_invitations(1, INVITATIONS_SHOWN).items
    return [{"row": row, "url": invitations.link(row)} for row in rows]
