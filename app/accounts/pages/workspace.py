"""The workspace's own settings: its name, time zone, two-factor rule, plan and limits."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for

from app.accounts import queries
from app.accounts.forms import field_errors
from app.accounts.guards import current_caller, current_tenant, current_user, require_permission
from app.accounts.schemas.tenants import TenantUpdate
from app.accounts.services import plans, tenants
from app.core.db import unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to
from app.core.http import validate

bp = Blueprint("workspace_pages", __name__, url_prefix="/app/settings/workspace")


@bp.get("")
@require_permission("workspace.read")
def show() -> Response:
    return _page()


@bp.post("")
@require_permission("workspace.manage")
def save() -> Response:
    values = {"name": request.form.get("name", ""), "timezone": request.form.get("timezone", "")}
    return _update({**values, "requires_mfa": request.form.get("requires_mfa") == "on"})


def _update(values: dict[str, object]) -> Response:
    try:
        changes = validate(TenantUpdate, values).model_dump(exclude_unset=True)
        with unit_of_work():
            tenants.update(current_tenant().id, changes, current_caller())
    except AppError as error:
        return _page(error)
    flash("The workspace is saved.", "ok")
    return go_to(url_for("workspace_pages.show"))


def _page(error: AppError | None = None) -> Response:
    tenant = current_tenant()
    typed = request.form if error else {}
    page = render_template(
        "settings/workspace.html",
        tenant=tenant,
        name=typed.get("name", tenant.name),
        timezone=typed.get("timezone", tenant.timezone),
        requires_mfa=typed.get("requires_mfa") == "on" if error else tenant.requires_mfa,
        has_mfa=current_user().has_mfa,
        zone_options=[(zone, zone.replace("_", " ")) for zone in tenants.zones()],
        plan=plans.PLANS[tenant.plan].label,
        n_users=queries.count_users(tenant.id),
        errors=field_errors(error),
    )
    return make_response(page, error.status if error else 200)
