"""A text looked at while it is written: how it reads for a person, its parts, its variables, what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request

from app.accounts.guards import current_tenant, require_permission
from app.cdp.queries import pages_profiles, profiles
from app.cdp.queries.segment_pages import load_people
from app.cdp.queries.titles import subtitle_of, title_of
from app.cdp.services.engine.idset import IdSet
from app.core.errors import ValidationFailed
from app.messaging.models import MessageChannel
from app.messaging.pages import template_view as view
from app.messaging.services import rules, template_people, template_rules, text_parts
from app.messaging.services.links import LinkSet
from app.messaging.services.rendering import Compiled, compile_text

bp = Blueprint("template_check", __name__)
FOUND = 6


@bp.post("/check")
@require_permission("messaging.read")
def check() -> str:
    """Nothing is saved. The form's fields come in; what they make of people goes out."""
    return render_template("messaging/_template_check.html", is_update=True, **context_of(request.form))


def context_of(form: Mapping[str, str]) -> dict[str, Any]:
    """Everything the part beside the editor shows, for the text and the people the form names."""
    channel = form.get("channel", MessageChannel.SMS)
    channel = channel if channel in set(MessageChannel) else MessageChannel.SMS.value
    content = form.get("content", "").replace("\r\n", "\n").strip()
    most = template_rules.MOST_CHARACTERS[MessageChannel(channel)]
    segment_id = _segment(form)
    people = template_people.reachable(channel, segment_id)
    person, position = _person(form, people)
    context: dict[str, Any] = {
        "channel": channel, "content": content, "most": most, "counted": text_parts.count(content),
        "segment_id": segment_id, "reachable": len(people), "person": person, "position": position,
        "found": _found(form), "title_of": title_of, "subtitle_of": subtitle_of, "problem": "", "shown": None,
        "variables": [], "spread": None, "cost": None, "has_links": False, "suggestion": text_parts.suggest(content),
        "channels": view.CHANNELS, "price": view.price,
    }  # fmt: skip
    if not content:
        return context
    try:
        text = compile_text(content)
    except ValidationFailed as error:
        return context | {"problem": error.message}
    return context | _held_against(content, text, people, person, channel)


def _held_against(content: str, text: Compiled, people: IdSet, person: Any, channel: str) -> dict[str, Any]:
    company = current_tenant().name
    links = LinkSet.of([content] if channel == MessageChannel.SMS else [])  # as campaigns do unless told otherwise
    spread = template_people.spread(text, people, company, links)
    values = template_people.values_for(person, text, company) if person else None
    return {
        "variables": template_people.describe(text, people),
        "has_links": bool(links.places),
        "shown": template_people.show(text, values, links) if values is not None else None,
        "spread": spread,
        "cost": _cost(spread, len(people), channel),
    }


def _cost(spread: template_people.Spread, people: int, channel: str) -> dict[str, Any] | None:
    """What it costs to send it to all of these people, as the sample has it."""
    sent = sum(spread.parts.values())
    if not sent:
        return None
    recipients = round(people * sent / spread.people)
    prices = rules.load().prices
    average = spread.average if channel == MessageChannel.SMS else 1.0
    one = prices.of(channel)
    return {
        "recipients": recipients, "average": average, "currency": prices.currency, "each": one,
        "micros": round(one * average * recipients),
    }  # fmt: skip


def _segment(form: Mapping[str, str]) -> int | None:
    chosen = _number(form, "segment", 0)
    return chosen if chosen in dict(pages_profiles.list_segments()) else None


def _person(form: Mapping[str, str], people: IdSet) -> tuple[Any, int]:
    """Whom to read it as: the one who was picked, else the one at the place among those who would get it."""
    picked = _number(form, "person", 0) or _number(form, "reads_as", 0)
    if picked and "step" not in form:
        return next(iter(load_people([picked])), None), -1
    size = len(people)
    if not size:
        return None, 0
    step = {"next": 1, "previous": -1}.get(form.get("step", ""), 0)
    position = (_number(form, "position", 0) + step) % size
    return next(iter(load_people(people.page(position, 1))), None), position


def _found(form: Mapping[str, str]) -> list[Any] | None:
    asked = form.get("who", "").strip()[:200]
    if not asked or any(form.get(name) for name in ("person", "reads_as", "step")):
        return None
    return list(profiles.list_profiles(asked, limit=FOUND).items)


def _number(form: Mapping[str, str], name: str, default: int) -> int:
    text = form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else default
