"""How segments are put into words and figures for their pages."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from app.cdp.models import Channel, Lifecycle, Profile, Segment, SegmentKind
from app.cdp.pages.profile_view import CHANNELS, city_of, subtitle_of, title_of
from app.cdp.queries import pages_profiles, segment_pages, segment_words
from app.cdp.services import computed_traits, segment_preview
from app.cdp.services.conditions import parse
from app.core.errors import ValidationFailed
from app.core.formats import initials

KINDS = {SegmentKind.LIVE: ("Live", "live"), SegmentKind.STATIC: ("Static", "idle")}
REACH_ICONS = {"email": "mail", "sms": "message-circle", "whatsapp": "message-circle-plus", "ads": "speakerphone"}
WITH_NUMBERS = ("count", "sum", "avg", "min", "max", "unique_count", "days_since")


def sentence_of(segment: Segment, names: dict[int, str] | None = None) -> str:
    """Who is meant, as one sentence; an empty text when the condition is not valid any more."""
    if segment.kind == SegmentKind.STATIC:
        return "The people who were chosen; it does not change by itself."
    try:
        return segment_preview.told(parse(segment.conditions), names)
    except ValidationFailed:
        return ""


def vocabulary(own_id: int | None) -> dict[str, Any]:
    """What the builder lets one choose from; a segment is not offered to itself."""
    return {
        "events": segment_words.list_events(),
        "traits": [asdict(word) for word in segment_words.list_traits()],
        "computed": [{"name": one.name, "type": _computed_type(one)} for one in computed_traits.list_definitions()],
        "segments": [[number, name] for number, name in segment_pages.names_by_id() if number != own_id],
        "lifecycles": [str(one) for one in Lifecycle],
        "channels": [[str(one), CHANNELS[one]] for one in Channel],
        "external": segment_words.list_external_kinds(),
    }


def _computed_type(one: computed_traits.Definition) -> str:
    if one.function in WITH_NUMBERS:
        return "number"
    if one.function == "most_frequent":
        return "text"
    return "number" if one.property else "date"


def people_out(profiles: list[Profile]) -> list[dict[str, Any]]:
    """Sample people as the preview shows them."""
    agreed = pages_profiles.consented_channels(row.id for row in profiles)
    return [
        {
            "id": row.id, "name": title_of(row), "initials": initials(title_of(row)),
            "detail": ", ".join(text for text in (city_of(row), subtitle_of(row)) if text) or row.lifecycle,
            "reach": _reach_words(agreed.get(row.id, [])),
        }
        for row in profiles
    ]  # fmt: skip


def _reach_words(channels: list[str]) -> str:
    known = [CHANNELS[one] for one in segment_preview.REACH if one in channels]
    known = [word if word.isupper() or word == "WhatsApp" else word.lower() for word in known]
    return f"may be reached by {', '.join(known)}" if known else "may not be reached"


def reach_rows(reach: segment_preview.Reach) -> list[dict[str, Any]]:
    """Channels with how many agreed, the largest first."""
    rows = [
        {"channel": key, "label": CHANNELS[key], "icon": REACH_ICONS.get(key, "point"), "count": count}
        for key, count in reach.channels.items()
    ]
    return sorted(rows, key=lambda row: -row["count"])


def preview_out(found: segment_preview.Preview) -> dict[str, Any]:
    """The preview as the builder's script reads it."""
    return {
        "count": found.count, "total": found.total, "took_ms": found.took_ms, "nodes": found.nodes,
        "sentence": found.sentence, "unreached": found.reach.unreached,
        "reach": reach_rows(found.reach), "sample": people_out(segment_pages.load_people(found.sample)),
    }  # fmt: skip


def as_json(conditions: Any) -> str:
    return json.dumps(conditions, ensure_ascii=False, indent=2)
