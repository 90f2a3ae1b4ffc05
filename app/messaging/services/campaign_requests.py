"""What a program asks of a campaign, in the contract's names and ids, as the campaign services take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import column, select, table

from app.core.db import db
from app.core.errors import NotFound, ValidationFailed
from app.core.tenancy import current_tenant_id
from app.messaging.services import templates
from app.messaging.services.campaign_rules import CampaignIn, VariantIn

_segments = table("segments", *map(column, ("id", "uuid", "tenant_id")))
_NAMES = {
    "name": "name", "description": "description", "sender_id": "sender_id", "rate_limit_per_second": "rate_per_second",
    "quiet_hours_start": "quiet_start", "quiet_hours_end": "quiet_end", "holdout_percent": "holdout_percent",
    "keeps_caps": "keeps_caps", "tracks_links": "tracks_links", "goal_event": "goal_event", "goal_days": "goal_days",
}  # fmt: skip
_NULLABLE = ("rate_limit_per_second", "quiet_hours_start", "quiet_hours_end", "sender_id")


def wanted(body: Mapping[str, Any]) -> CampaignIn:
    """A whole campaign; ValidationFailed names a template or segment that is not there."""
    variants = _variants(body)
    if variants is None:
        raise ValidationFailed("template_id: is needed.", field="template_id", provided=None,
                               expected="the id of a template")  # fmt: skip
    start = CampaignIn(name=body["name"], segment_id=segment_id(body["segment_id"]), variants=variants)
    return replace(start, **_values(body), schedule_at=_at(body.get("schedule_time")))


def changed(before: CampaignIn, body: Mapping[str, Any]) -> CampaignIn:
    """The campaign with what was given; what was not stays."""
    values = _values(body)
    if body.get("segment_id") is not None:
        values["segment_id"] = segment_id(body["segment_id"])
    variants = _variants(body)
    if variants is not None:
        values["variants"] = variants
    if "schedule_time" in body:
        values["schedule_at"] = _at(body["schedule_time"])
    return replace(before, **values)


def _values(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        ours: body[theirs]
        for theirs, ours in _NAMES.items()
        if theirs in body and (body[theirs] is not None or theirs in _NULLABLE)
    }


def _variants(body: Mapping[str, Any]) -> list[VariantIn] | None:
    """None when neither is given."""
    one, several = body.get("template_id"), body.get("variants")
    if one is not None and several is not None:
        raise ValidationFailed("variants: give template_id or variants, not both.", field="variants",
                               provided="both", expected="one of the two")  # fmt: skip
    if several is not None:
        return [VariantIn(_template_id(each["template_id"]), each["weight"]) for each in several]
    return None if one is None else [VariantIn(_template_id(one))]


def _template_id(uuid: str) -> int:
    try:
        return templates.get_by_uuid(uuid).id
    except NotFound:
        raise ValidationFailed("template_id: there is no such template.", field="template_id", provided=uuid,
                               expected="the id of a template") from None  # fmt: skip


def segment_id(uuid: str) -> int:
    """The segment the contract calls by this id."""
    found = db.session.scalar(
        select(_segments.c.id).where(_segments.c.tenant_id == current_tenant_id(), _segments.c.uuid == uuid)
    )
    if found is None:
        raise ValidationFailed("segment_id: there is no such segment.", field="segment_id", provided=uuid,
                               expected="the id of a segment")  # fmt: skip
    return int(found)


def moment(text: str) -> datetime:
    """A time in ISO 8601; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValidationFailed("schedule_time: is no time in ISO 8601.", field="schedule_time", provided=text,
                               expected="2027-03-15T09:00:00Z") from None  # fmt: skip


def _at(text: str | None) -> datetime | None:
    return None if text is None else moment(text)
