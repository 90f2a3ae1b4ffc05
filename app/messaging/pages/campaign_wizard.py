"""Making and changing a campaign in four steps. The address carries what was chosen, so any step can be reloaded,
gone back to, or sent to a colleague; nothing is kept until the last one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from flask import Blueprint, Flask, Response, flash, make_response, render_template, request
from sqlalchemy.exc import IntegrityError

from app.accounts.guards import current_tenant, current_user, may, require, require_permission
from app.cdp.queries import segment_words
from app.cdp.queries.segment_pages import load_people
from app.cdp.queries.titles import title_of
from app.core.db import unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to
from app.messaging.models import EDITABLE, Campaign, CampaignState, MessageChannel
from app.messaging.pages import campaign_form as form
from app.messaging.pages import campaign_view as view
from app.messaging.pages.campaign_form import Values
from app.messaging.pages.template_view import APPROVALS, CHANNELS, plain_error, price
from app.messaging.queries import campaigns as queries
from app.messaging.queries import templates as template_queries
from app.messaging.services import accounts, campaign_parts, campaigns, forecasts, rules, template_people
from app.messaging.services.links import LinkSet
from app.messaging.services.rendering import compile_text

bp = Blueprint("campaign_wizard_pages", __name__, url_prefix="/app/campaigns")
MOST_TEMPLATES = 300


@bp.get("/new")
@require_permission("messaging.write")
def new() -> str:
    """A segment or a template in the address is chosen already."""
    return _page(None, form.read(request.args, form.DEFAULTS))


@bp.get("/<int:campaign_id>/edit")
@require_permission("messaging.write")
def edit(campaign_id: int) -> Response:
    """A draft or a scheduled campaign."""
    row = campaigns.get(campaign_id)
    if row.state not in EDITABLE:
        flash("It was started and cannot be changed. Make a copy of it.", "warn")
        return go_to(f"/app/campaigns/{row.id}")
    return make_response(_page(row, form.read(request.args, form.of_campaign(row, _zone()))))


@bp.get("/preview")
@require_permission("messaging.read")
def preview() -> str:
    """The chosen texts as somebody of the segment reads them."""
    return render_template("messaging/_campaign_preview.html", **_preview(form.read(request.args, form.DEFAULTS)))


@bp.post("/new")
@require_permission("messaging.write")
def create() -> Response:
    return _submitted(None)


@bp.post("/<int:campaign_id>/edit")
@require_permission("messaging.write")
def update(campaign_id: int) -> Response:
    return _submitted(campaigns.get(campaign_id))


def _submitted(row: Campaign | None) -> Response:
    """Save, and start where that is asked for. The same form sent twice makes one campaign."""
    do = request.form.get("do", "save")
    base = form.of_campaign(row, _zone()) if row else form.DEFAULTS
    values = form.read(request.form, base)
    if do == "launch" or values["when"] == "later" or (row is not None and row.schedule_at is not None):
        require("messaging.send")
    made = campaigns.find_by_uuid(values["token"]) if row is None else None
    if made is not None:
        return go_to(f"/app/campaigns/{made.id}")
    step, errors = form.errors_before("review", values, _zone())
    if errors:
        return make_response(_page(row, values, step, errors), 422)
    try:
        saved_id, said = _save_once(row, values, do)
    except AppError as error:
        if error.status not in (402, 409, 422):
            raise
        said = plain_error(error.message, str(error.details.get("field", "")))
        return make_response(_page(row, values, "review", {"form": said}), 422)
    flash(said, "ok")
    return go_to(f"/app/campaigns/{saved_id}")


def _save_once(row: Campaign | None, values: Values, do: str) -> tuple[int, str]:
    """Save; of one form sent twice at once the second finds the first's. A token taken elsewhere is replaced."""
    try:
        return _save(row, values, do)
    except IntegrityError:
        if row is not None:
            raise
    made = campaigns.find_by_uuid(values["token"])
    if made is not None:
        return made.id, f"{made.name} is saved."
    return _save(None, values | {"token": str(uuid4())}, do)


def _save(row: Campaign | None, values: Values, do: str) -> tuple[int, str]:
    wanted = form.wanted_of(values, _zone())
    with unit_of_work():
        if row is None:
            saved = campaigns.create(wanted, user_id=current_user().id, uuid=values["token"])
        else:
            if campaigns.get(row.id, for_update=True).state == CampaignState.SCHEDULED:
                require("messaging.send")
            saved = campaigns.update(row.id, wanted)
        if do == "launch":
            campaigns.launch(saved.id, user_id=current_user().id)
            return saved.id, f"{saved.name} is on its way."
        if saved.schedule_at is not None:
            return saved.id, f"{saved.name} starts {view.clock(saved.schedule_at)}."
        return saved.id, f"{saved.name} is saved as a draft."


def _page(row: Campaign | None, values: Values, step: str = "", errors: Mapping[str, str] | None = None) -> str:
    if not errors:
        step = request.values.get("step") or request.values.get("here") or "who"
        step, errors = form.errors_before(step if step in form.STEPS else "who", values, _zone())
    context: dict[str, Any] = {
        "campaign": row, "values": values, "step": step, "steps": form.STEPS, "errors": errors, "zone": _zone(),
        "fields": form.FIELDS, "url": f"/app/campaigns/{row.id}/edit" if row else "/app/campaigns/new",
        "channels": CHANNELS, "can_send": may("messaging.send"), "price": price, "texts": form.TEXTS,
        **view.FUNCTIONS, **_of_step(step, values),
    }  # fmt: skip
    return render_template("messaging/campaign_wizard.html", **context)


def _of_step(step: str, values: Values) -> dict[str, Any]:
    if step == "who":
        return {"segments": queries.list_segments()}
    if step == "what":
        return {"templates": _templates()} | _preview(values)
    if step == "when":
        return _when(values)
    return _review(values)


def _templates() -> list[tuple[str, str]]:
    rows = template_queries.list_rows(1, MOST_TEMPLATES, active=True).items
    return [(str(one.template.id), _template_label(one)) for one in rows]


def _template_label(row: template_queries.Row) -> str:
    channel = CHANNELS[row.template.channel]
    if row.template.channel != MessageChannel.WHATSAPP:
        return f"{row.template.name} · {channel}"
    return f"{row.template.name} · {channel}, {APPROVALS[row.version.approval][0].lower()}"


def _when(values: Values) -> dict[str, Any]:
    channel = _channel(values)
    senders = [(str(one.id or ""), one.label or one.address) for one in accounts.list_senders(channel)]
    in_force = rules.load()
    return {
        "senders": senders, "rules": in_force, "caps": [cap for cap in in_force.caps if cap.channel == channel],
        "events": segment_words.list_events(), "is_sms": channel == MessageChannel.SMS,
    }  # fmt: skip


def _preview(values: Values) -> dict[str, Any]:
    """The texts for one person of those who could get them."""
    chosen, position = form.chosen_templates(values), _position()
    context: dict[str, Any] = {"shown": [], "person": None, "position": position, "reachable": 0, "title_of": title_of,
               "channels": CHANNELS, "values": values}  # fmt: skip
    if not chosen:
        return context
    segment = int(values["segment"]) if values["segment"].isdecimal() and len(values["segment"]) < 10 else None
    known = {one.id for one in queries.list_segments()}
    people = template_people.reachable(chosen[0][0].channel, segment if segment in known else None)
    position = position % len(people) if people else 0
    person = next(iter(load_people(people.page(position, 1))), None) if people else None
    company = current_tenant().name
    is_tracked = values["links"] == "yes" and chosen[0][0].channel == MessageChannel.SMS
    links = LinkSet.of(version.content for _, version, _ in chosen) if is_tracked else LinkSet({})
    shown = []
    for template, version, _ in chosen:
        text = compile_text(version.content)
        read = template_people.show(text, template_people.values_for(person, text, company), links) if person else None
        shown.append((template, version, read))
    return context | {"shown": shown, "person": person, "position": position, "reachable": len(people),
                      "has_links": bool(links.places)}  # fmt: skip


def _position() -> int:
    text = request.values.get("position", "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def _review(values: Values) -> dict[str, Any]:
    campaign = form.preview_of(values, _zone(), current_tenant().id)
    chosen = form.chosen_templates(values)
    letters = zip(campaign_parts.LETTERS, chosen, strict=False)
    contents = [(letter, version.content, weight) for letter, (_, version, weight) in letters]
    found = forecasts.forecast(campaign, contents, campaign.schedule_at)
    in_force = rules.load()
    return {
        "forecast": found, "skips": view.reasons_of_skips(found.reach.skipped), "preview": campaign,
        "problem": form.find_obstacle(campaign, [version for _, version, _ in chosen]),
        "segment": campaign_parts.find_segment(campaign.segment_id), "chosen": chosen,
        "quiet": (campaign.quiet_start or in_force.quiet_start, campaign.quiet_end or in_force.quiet_end),
        "caps": [cap for cap in in_force.caps if cap.channel == campaign.channel] if campaign.keeps_caps else [],
        "is_sms": campaign.channel == MessageChannel.SMS,
    }  # fmt: skip


def _channel(values: Values) -> str:
    chosen = form.chosen_templates(values)
    return chosen[0][0].channel if chosen else MessageChannel.SMS


def _zone() -> str:
    return current_tenant().timezone or "UTC"


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
