"""AI settings: keys, order, budget."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request, url_for

from app.accounts.guards import current_tenant, current_user, require_permission
from app.ai.forms import AccessForm, BudgetForm, as_text
from app.ai.pages.blueprint import bp, changed
from app.ai.services import budget, credentials, health, overview, preferences
from app.ai.services.names import PROVIDERS
from app.core import ratelimit
from app.core.db import release_connection, unit_of_work
from app.core.errors import AppError, NotFound
from app.core.htmx import is_htmx
from app.core.http import validate

PROVIDER, ORDER, BUDGET = "settings/_ai_provider.html", "settings/_ai_order.html", "settings/_ai_budget.html"
STEPS = {"up": -1, "down": 1}


@bp.get("/ai")
@require_permission("insights.read")
def show_ai() -> str:
    return render_template("settings/ai.html", **_page())


@bp.post("/ai/providers/<name>")
@require_permission("ai.manage")
def save_provider(name: str) -> Response | str:
    form = validate(AccessForm, request.form.to_dict())
    access = credentials.Access(credentials.known_provider(name), **form.model_dump())
    user_id = current_user().id
    try:
        release_connection()
        credentials.check_access(access)
        with unit_of_work():
            credentials.save(access, user_id=user_id)
    except AppError as error:
        return _refused(PROVIDER, error, open_provider=name, provider=overview.view_provider(name), typed=form)
    return _provider_changed(name, f"{overview.view_provider(name).label} saved")


@bp.post("/ai/providers/<name>/remove-key")
@require_permission("ai.manage")
def remove_key(name: str) -> Response | str:
    with unit_of_work():
        credentials.remove_key(name, user_id=current_user().id)
    return _provider_changed(name, "Key removed")


@bp.post("/ai/providers/<name>/check")
@require_permission("ai.manage")
def check_provider(name: str) -> Response | str:
    credentials.known_provider(name)
    ratelimit.check("ai.check", str(current_tenant().id))
    if health.check_provider(name) is None:
        raise NotFound("Add a key first: there is nothing to test.")
    view = overview.view_provider(name)
    return _provider_changed(name, f"{view.label} {'answers' if view.state == 'ok' else 'does not answer'}")


@bp.get("/ai/orders")
@require_permission("insights.read")
def show_orders() -> str:
    return render_template("settings/_ai_orders.html", orders=overview.list_orders())


@bp.post("/ai/order/<group>/<name>/<step>")
@require_permission("ai.manage")
def move_provider(group: str, name: str, step: str) -> Response | str:
    if step not in STEPS:
        raise NotFound("There is no such step.")
    with unit_of_work():
        preferences.move(group, name, STEPS[step], among=overview.usable_names())
    return _order_changed(group, "Order saved")


@bp.post("/ai/order/<group>/reset")
@require_permission("ai.manage")
def reset_order(group: str) -> Response | str:
    with unit_of_work():
        preferences.reset_order(group)
    return _order_changed(group, "Back to the usual order")


@bp.post("/ai/budget")
@require_permission("ai.manage")
def save_budget() -> Response | str:
    form = BudgetForm(budget=as_text(request.form, "budget")[:40])
    try:
        with unit_of_work():
            preferences.set_monthly_budget(form.dollars)
    except AppError as error:
        return _refused(BUDGET, error, budget=budget.state(), typed_budget=form.budget)
    return changed("Budget saved", _url(), BUDGET, budget=budget.state())


def _provider_changed(name: str, message: str) -> Response | str:
    return changed(
        message, f"{_url()}#provider-{name}", PROVIDER, tell="aiaccess", provider=overview.view_provider(name)
    )


def _order_changed(group: str, message: str) -> Response | str:
    return changed(message, f"{_url()}#order-{group}", ORDER, order=overview.view_order(group))


def _refused(partial: str, error: AppError, **context: Any) -> Response:
    """The form again, with what was wrong beside the field."""
    errors = {str(error.details.get("field") or "form"): error.message}
    context["errors"] = errors
    page = (
        render_template(partial, **context) if is_htmx() else render_template("settings/ai.html", **_page(), **context)
    )
    return make_response(page, error.status)


def _page() -> dict[str, Any]:
    return {
        "providers": overview.list_providers(),
        "orders": overview.list_orders(),
        "budget": budget.state(),
        "has_model": overview.has_model(),
        "provider_names": PROVIDERS,
    }


def _url() -> str:
    return url_for("ai_settings_pages.show_ai")
