"""The wizard's fields: how an address or a form carries them, what is wrong with them step by step, what they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from app.core.clock import in_zone
from app.core.errors import AppError, NotFound, ValidationFailed
from app.messaging.models import Campaign, MessageTemplate, TemplateVersion
from app.messaging.pages.template_view import plain_error
from app.messaging.services import accounts, campaign_parts, campaign_rules, campaigns, templates
from app.messaging.services.campaign_rules import CampaignIn, VariantIn

STEPS = {"who": "Who", "what": "What", "when": "When", "review": "Review"}
MOST_TEXTS = campaign_rules.MOST_VARIANTS
TEXTS = tuple(range(1, MOST_TEXTS + 1))
DEFAULTS = {
    "name": "", "description": "", "segment": "", "sender": "", "when": "now", "at": "", "pace": "10",
    "quiet": "workspace", "quiet_start": "21:00", "quiet_end": "08:00", "caps": "yes", "holdout": "0", "links": "yes",
    "goal_event": "", "goal_days": "7",
    **{f"t{n}": "" for n in TEXTS}, **{f"w{n}": "1" for n in TEXTS},
}  # fmt: skip
FIELDS = {
    "who": ("name", "description", "segment"),
    "what": tuple(f"{letter}{n}" for n in TEXTS for letter in "tw"),
    "when": ("when", "at", "pace", "sender", "quiet", "quiet_start", "quiet_end", "caps", "holdout", "links",
             "goal_event", "goal_days"),
}  # fmt: skip
Values = dict[str, str]


def read(given: MultiDict[str, str], base: Mapping[str, str]) -> Values:
    """The fields, those that are not given as they stand in `base`; `token` names the campaign to be.

    Of a name that comes twice the last counts: a ticked box follows the hidden "no" that stands for a cleared one.
    """
    values = {key: (given.getlist(key) or [base[key]])[-1][:2000].strip() for key in DEFAULTS}
    values["token"] = _token(given.get("token", "")) or base.get("token", "") or str(uuid4())
    return values


def of_campaign(row: Campaign, zone: str) -> Values:
    """A saved campaign as the wizard's fields."""
    wanted = campaigns.as_given(row)
    values = DEFAULTS | {
        "name": wanted.name, "description": wanted.description, "segment": str(wanted.segment_id),
        "sender": str(wanted.sender_id or ""), "pace": f"{wanted.rate_per_second:g}" if wanted.rate_per_second else "",
        "caps": "yes" if wanted.keeps_caps else "no", "links": "yes" if wanted.tracks_links else "no",
        "holdout": f"{wanted.holdout_percent:g}", "goal_event": wanted.goal_event, "goal_days": str(wanted.goal_days),
        "token": row.uuid,
    }  # fmt: skip
    if wanted.quiet_start and wanted.quiet_end:
        values |= {"quiet": "own", "quiet_start": wanted.quiet_start, "quiet_end": wanted.quiet_end}
    if wanted.schedule_at:
        values |= {"when": "later", "at": f"{in_zone(wanted.schedule_at, zone):%Y-%m-%dT%H:%M}"}
    for n, one in enumerate(wanted.variants, 1):
        values |= {f"t{n}": str(one.template_id), f"w{n}": str(one.weight)}
    return values


def errors_before(step: str, values: Values, zone: str) -> tuple[str, dict[str, str]]:
    """The first step before this one that is not in order, with what is wrong by field; the step itself otherwise."""
    for earlier in list(STEPS)[: list(STEPS).index(step)]:
        found = {field: said for field, check in CHECKS[earlier] if (said := _said(check, values, zone, field))}
        if found:
            return earlier, found
    return step, {}


def wanted_of(values: Values, zone: str) -> CampaignIn:
    """What the fields make; ValidationFailed for what cannot be read."""
    is_own = values["quiet"] == "own"
    pace = _decimal(values["pace"], "pace") if values["pace"] else None
    return CampaignIn(
        name=values["name"], description=values["description"], segment_id=whole(values["segment"], "segment"),
        variants=variants_of(values), sender_id=whole(values["sender"], "sender") if values["sender"] else None,
        schedule_at=scheduled(values, zone), rate_per_second=pace,
        quiet_start=values["quiet_start"] if is_own else None, quiet_end=values["quiet_end"] if is_own else None,
        keeps_caps=values["caps"] == "yes", tracks_links=values["links"] == "yes",
        holdout_percent=_decimal(values["holdout"] or "0", "holdout"), goal_event=values["goal_event"],
        goal_days=whole(values["goal_days"] or "7", "goal_days"),
    )  # fmt: skip


def variants_of(values: Values) -> list[VariantIn]:
    """The texts that are chosen, whatever places were left empty between."""
    return [
        VariantIn(whole(values[f"t{n}"], f"t{n}"), whole(values[f"w{n}"] or "1", f"w{n}"))
        for n in TEXTS
        if values[f"t{n}"]
    ]


def chosen_templates(values: Values) -> list[tuple[MessageTemplate, TemplateVersion, int]]:
    """Template, the version that would be sent, and weight, of those that are there."""
    found = []
    for n in TEXTS:
        with suppress(ValidationFailed, NotFound):
            template = templates.get(whole(values[f"t{n}"], "t"))
            weight = whole(values[f"w{n}"] or "1", "w")
            found.append((template, templates.version_to_send(template), weight))
    return found


def preview_of(values: Values, zone: str, tenant_id: int) -> Campaign:
    """The campaign as it would be, kept nowhere: what forecasts are made for."""
    wanted = wanted_of(values, zone)
    channel = campaign_parts.find_template(wanted.variants[0].template_id).channel
    return Campaign(
        tenant_id=tenant_id, uuid=values["token"], channel=channel, segment_id=wanted.segment_id,
        sender_id=wanted.sender_id, rate_per_second=wanted.rate_per_second or 0.0,
        quiet_start=wanted.quiet_start or "", quiet_end=wanted.quiet_end or "", keeps_caps=wanted.keeps_caps,
        holdout_percent=wanted.holdout_percent, schedule_at=wanted.schedule_at, tracks_links=wanted.tracks_links,
    )  # fmt: skip


def find_obstacle(campaign: Campaign, versions: Sequence[TemplateVersion]) -> str:
    """Why it could not be launched now, or nothing."""
    try:
        campaign_parts.refuse_unsendable(campaign, versions)
        campaign_parts.refuse_too_long(versions, campaign.channel, tracks_links=campaign.tracks_links)
    except AppError as error:
        return error.message
    return ""


def scheduled(values: Values, zone: str) -> datetime | None:
    """The time on the workspace's clocks; of an hour that comes twice the first."""
    if values["when"] != "later":
        return None
    try:
        local = datetime.fromisoformat(values["at"]).replace(tzinfo=ZoneInfo(zone))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValidationFailed("at: choose a day and a time.", field="at") from None


def whole(text: str, field: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValidationFailed(f"{field}: must be a whole number.", field=field)
    return int(text)


def _decimal(text: str, field: str) -> float:
    if not (text.isascii() and text.replace(".", "", 1).isdecimal() and len(text) < 12):
        raise ValidationFailed(f"{field}: must be a number such as 10 or 0.5.", field=field)
    return float(text)


def _token(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def _check_segment(values: Values, _zone: str) -> None:
    if not values["segment"]:
        raise ValidationFailed("segment: choose whom to write to.", field="segment")
    campaign_parts.find_segment(whole(values["segment"], "segment"))


def _check_texts(values: Values, _zone: str) -> None:
    found = variants_of(values)
    if not found:
        raise ValidationFailed("t1: choose a text.", field="t1")
    campaign_rules.variants(found)
    channels = {campaign_parts.find_template(one.template_id).channel for one in found}
    if len(channels) > 1:
        raise ValidationFailed("t1: all texts must be of one channel, SMS or WhatsApp.", field="t1")


def _check_sender(values: Values, _zone: str) -> None:
    if values["sender"]:
        channel = campaign_parts.find_template(variants_of(values)[0].template_id).channel
        accounts.get_sender(channel, whole(values["sender"], "sender"))


def _check_quiet(values: Values, _zone: str) -> None:
    if values["quiet"] == "own":
        campaign_rules.quiet_hours(values["quiet_start"], values["quiet_end"])


def _check_goal_days(values: Values, _zone: str) -> None:
    campaign_rules.goal(values["goal_event"], whole(values["goal_days"] or "7", "goal_days"))


Check = Callable[[Values, str], Any]
CHECKS: dict[str, list[tuple[str, Check]]] = {
    "who": [("name", lambda values, _: campaign_rules.name(values["name"])), ("segment", _check_segment)],
    "what": [("t1", _check_texts)],
    "when": [
        ("at", lambda values, zone: campaign_rules.schedule(scheduled(values, zone))),
        ("pace", lambda values, _: campaign_rules.rate(_decimal(values["pace"], "pace") if values["pace"] else None)),
        ("sender", _check_sender),
        ("quiet_end", _check_quiet),
        ("holdout", lambda values, _: campaign_rules.holdout(_decimal(values["holdout"] or "0", "holdout"))),
        ("goal_days", _check_goal_days),
    ],
}


def _said(check: Check, values: Values, zone: str, field: str) -> str:
    try:
        check(values, zone)
    except AppError as error:
        return plain_error(error.message, str(error.details.get("field", field)))
    return ""
