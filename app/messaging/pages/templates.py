"""Pages of templates: the list, and one template written, copied, submitted, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, flash, make_response, render_template, request

from app.accounts.guards import current_user, may, require_permission
from app.cdp.queries import pages_profiles, segment_words
from app.cdp.services import computed_traits
from app.core.db import unit_of_work
from app.core.errors import AppError, NotFound
from app.core.htmx import go_to, render
from app.core.http import int_argument
from app.messaging.models import MessageChannel, MessageTemplate, TemplateVersion
from app.messaging.pages import template_check
from app.messaging.pages import template_view as view
from app.messaging.queries import templates as queries
from app.messaging.services import templates, text_parts, whatsapp_content
from app.messaging.services.plain_values import BUILT_IN

bp = Blueprint("template_pages", __name__, url_prefix="/app/templates")
PAGE = 25
FIELDS = ("name", "channel", "content", "language", "category")
MOST_OFFERED = 60


@bp.get("")
@require_permission("messaging.read")
def index() -> str:
    """Search, channel, order and page stand in the address."""
    q = request.args.get("q", "").strip()[:100]
    channel = request.args.get("channel", "")
    channel = channel if channel in view.CHANNELS else ""
    sort = request.args.get("sort", "")
    sort = sort if sort in queries.SORTS else "name"
    number = int_argument("page", 1, high=100_000) or 1
    page = queries.list_rows(number, PAGE, q=q, channel=channel, sort=sort)
    if number > max(1, page.pages):
        page = queries.list_rows(max(1, page.pages), PAGE, q=q, channel=channel, sort=sort)
    given = {key: value for key, value in (("q", q), ("channel", channel)) if value}
    given |= {"sort": sort} if sort != "name" else {}
    return render(
        "messaging/template_list.html", "messaging/_template_list.html", rows=page.items, total=page.total,
        page=page.number, pages=max(1, page.pages), q=q, channel=channel, sort=sort, sorts=queries.SORTS,
        channels=view.CHANNELS, approvals=view.APPROVALS, examples=view.EXAMPLES, count=text_parts.count,
        page_url="/app/templates?" + (urlencode(given) + "&" if given else "") + "page={page}",
    )  # fmt: skip


@bp.get("/new")
@require_permission("messaging.write")
def new() -> str:
    """An example's key in the address fills it in."""
    example = view.BY_KEY.get(request.args.get("example", ""))
    values = {"name": "", "channel": "sms", "content": "", "language": "en", "category": "MARKETING"}
    if example:
        values |= {"name": example.name, "channel": example.channel, "content": example.content}
    return _editor(None, values)


@bp.post("/new")
@require_permission("messaging.write")
def create() -> Response:
    return _submitted(None)


@bp.get("/<int:template_id>")
@require_permission("messaging.read")
def show(template_id: int) -> str:
    """The editor; who may not write sees how it reads."""
    template = templates.get(template_id)
    return _editor(template, _values_of(template))


@bp.post("/<int:template_id>")
@require_permission("messaging.write")
def update(template_id: int) -> Response:
    return _submitted(templates.get(template_id))


@bp.get("/<int:template_id>/approval")
@require_permission("messaging.read")
def approval(template_id: int) -> str:
    """Where its newest version stands with WhatsApp."""
    return render_template("messaging/_template_approval.html", **_approval(templates.get(template_id)))


@bp.get("/<int:template_id>/versions/<int:number>")
@require_permission("messaging.read")
def version(template_id: int, number: int) -> str:
    """A version, and what it changed."""
    template = templates.get(template_id)
    chosen = queries.find_version(template.id, number)
    if chosen is None:
        raise NotFound("There is no such version.")
    before = queries.find_version(template.id, number - 1) if number > 1 else None
    return render_template(
        "messaging/template_version.html", template=template, version=chosen, before=before,
        runs=view.difference(before.content, chosen.content) if before else [("same", chosen.content)],
        approvals=view.APPROVALS, channels=view.CHANNELS,
    )  # fmt: skip


@bp.post("/<int:template_id>/versions/<int:number>/restore")
@require_permission("messaging.write")
def restore(template_id: int, number: int) -> Response:
    """The text of an earlier version as a new one."""
    chosen = queries.find_version(templates.get(template_id).id, number)
    if chosen is None:
        raise NotFound("There is no such version.")

    def bring_back() -> None:
        templates.update(template_id, content=chosen.content, language=chosen.language, category=chosen.category,
                         user_id=current_user().id)  # fmt: skip

    return _act(template_id, bring_back, f"The text of version {number} is the newest again.")


@bp.post("/<int:template_id>/duplicate")
@require_permission("messaging.write")
def duplicate(template_id: int) -> Response:
    with unit_of_work():
        made = templates.duplicate(template_id, user_id=current_user().id)
    flash(f"{made.name} is made.", "ok")
    return go_to(f"/app/templates/{made.id}")


@bp.post("/<int:template_id>/active")
@require_permission("messaging.write")
def set_active(template_id: int) -> Response:
    """Offer it to new campaigns, or no more."""
    wanted = request.form.get("active") == "yes"
    said = "New campaigns may use it again." if wanted else "No new campaign can use it. Those that have it keep it."
    return _act(template_id, lambda: templates.update(template_id, is_active=wanted), said)


@bp.post("/<int:template_id>/submit")
@require_permission("messaging.write")
def submit(template_id: int) -> Response:
    """Ask WhatsApp to approve the newest version."""
    return _act(
        template_id,
        lambda: whatsapp_content.request_approval(templates.get(template_id)),
        "It is on its way to WhatsApp. A review takes from a minute to a day; this page follows it.",
    )


@bp.post("/<int:template_id>/delete")
@require_permission("messaging.write")
def delete(template_id: int) -> Response:
    """Refused while a campaign may still send it: the page says which."""
    name = templates.get(template_id).name
    try:
        with unit_of_work():
            templates.delete(template_id)
    except AppError as error:
        return _told(template_id, error)
    flash(f"{name} is deleted. What was sent with it stays readable.", "ok")
    return go_to("/app/templates")


def _submitted(template: MessageTemplate | None) -> Response:
    """Save, or (without scripts) look at what the form holds."""
    values = {key: request.form.get(key, "") for key in FIELDS}
    if template is not None:
        values["channel"] = template.channel
    do = request.form.get("do", "")
    if do == "plain":
        suggestion = text_parts.suggest(values["content"])
        values["content"] = suggestion.text if suggestion else values["content"]
    if do or "step" in request.form or request.form.get("person"):
        return make_response(_editor(template, values))
    try:
        saved = _save(template, values)
    except AppError as error:
        if error.status not in (409, 422):
            raise
        return make_response(_editor(template, values, error), error.status)
    flash(f"{saved.name} is saved.", "ok")
    return go_to(f"/app/templates/{saved.id}")


def _save(template: MessageTemplate | None, values: dict[str, str]) -> MessageTemplate:
    language, category = values["language"] or "en", values["category"] or "MARKETING"
    with unit_of_work():
        if template is None:
            return templates.create(
                values["name"], values["content"], channel=values["channel"] or "sms", language=language,
                category=category, user_id=current_user().id,
            )  # fmt: skip
        return templates.update(
            template.id, name=values["name"], content=values["content"],
            language=values["language"] or None, category=values["category"] or None, user_id=current_user().id,
        )  # fmt: skip


def _values_of(template: MessageTemplate) -> dict[str, str]:
    version = templates.newest_version(template)
    return {"name": template.name, "channel": template.channel, "content": version.content,
            "language": version.language, "category": version.category}  # fmt: skip


def _editor(template: MessageTemplate | None, values: dict[str, str], error: AppError | None = None) -> str:
    field = str(error.details.get("field", "form")) if error else ""
    field = field if field in FIELDS else "form" if field else ""
    errors = {field: view.plain_error(error.message, field)} if error else {}
    form = request.form.to_dict() | values
    context = template_check.context_of(form) | {"template": template}
    if template is not None:
        versions = queries.list_versions(template.id)
        context |= _approval(template) | {
            "versions": versions, "authors": _authors(versions), "used_by": templates.list_users(template.id),
        }  # fmt: skip
    return render_template(
        "messaging/template.html", values=values, errors=errors, offered=_offered(),
        segments=pages_profiles.list_segments(), categories=view.CATEGORIES, languages=_languages(values["language"]),
        who=form.get("who", ""), can_write=may("messaging.write"), **context,
    )  # fmt: skip


def _approval(template: MessageTemplate) -> dict[str, Any]:
    return {
        "template": template, "newest": templates.newest_version(template), "approvals": view.APPROVALS,
        "sendable": templates.version_to_send(template), "is_whatsapp": template.channel == MessageChannel.WHATSAPP,
    }  # fmt: skip


def _authors(versions: list[TemplateVersion]) -> dict[int, str]:
    """By version's author, what to call them."""
    ids = {version.created_by for version in versions if version.created_by}
    return queries.names_of_users(ids)


def _languages(chosen: str) -> list[tuple[str, str]]:
    known = dict(view.LANGUAGES)
    return view.LANGUAGES if chosen in known or not chosen else [*view.LANGUAGES, (chosen, chosen)]


def _offered() -> dict[str, list[tuple[str, str]]]:
    """Names one can put into a text, with what each holds."""
    taken = {*BUILT_IN, "email", "user_id", "first_seen_at", "last_seen_at", "created_at"}
    traits = [word for word in segment_words.list_traits() if word.name not in taken and _is_writable(word.name)]
    computed = computed_traits.list_definitions()
    return {
        "Built in": list(BUILT_IN.items()),
        "Traits": [(word.name, word.type or "mixed") for word in traits[:MOST_OFFERED]],
        "Counted from events": [(one.name, f"{one.function} of {one.event}") for one in computed[:MOST_OFFERED]],
    }


def _is_writable(name: str) -> bool:
    return not set(name) & set("{}|") and len(name) <= 100


def _act(template_id: int, action: Callable[[], Any], said: str) -> Response:
    templates.get(template_id)
    try:
        with unit_of_work():
            action()
    except AppError as error:
        return _told(template_id, error)
    flash(said, "ok")
    return go_to(f"/app/templates/{template_id}")


def _told(template_id: int, error: AppError) -> Response:
    """A refusal, told on the template's page."""
    if error.status not in (409, 422):
        raise error
    flash(view.plain_error(error.message, "content"), "warn")
    return go_to(f"/app/templates/{template_id}")


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.register_blueprint(template_check.bp, url_prefix=bp.url_prefix, name_prefix=bp.name)
