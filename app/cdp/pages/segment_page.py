"""What one segment's page shows, part by part."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import request

from app.cdp.models import Profile, Segment, SegmentKind
from app.cdp.pages import segment_view
from app.cdp.pages.profile_view import city_of, subtitle_of, title_of
from app.cdp.queries import profiles as profile_queries
from app.cdp.queries import segment_pages as queries
from app.cdp.services import days, segment_preview, segments
from app.core.db import find_row
from app.core.http import int_argument

MEMBERS = 25
DEEPEST = 400  # pages: nobody turns so many, and deep ones cost
CHANGES = 8
HISTORY_DAYS = 90
FOUND = 8


def whole(segment: Segment) -> dict[str, Any]:
    """Everything the page shows at first."""
    return figures(segment) | members(segment) | why(segment) | overlap(segment)


def figures(segment: Segment) -> dict[str, Any]:
    """Size, share, reach, history, who entered and left."""
    zone = days.tenant_zone()
    today = days.today(zone)
    sizes = queries.list_sizes(segment.id, today - HISTORY_DAYS)
    before = next((count for day, count in reversed(sizes) if day < today), None)
    entered, left = queries.count_since(segment.id, days.start_of(today, zone))
    now = segment_preview.of_members(segment.id)
    return {
        "segment": segment, "is_live": segment.kind == SegmentKind.LIVE, "kinds": segment_view.KINDS,
        "is_waiting": is_waiting(segment), "sentence": segment_view.sentence_of(segment),
        "total": now.total, "now": now,
        "reach": segment_view.reach_rows(now.reach),
        "delta": None if before is None or segment.member_count is None else segment.member_count - before,
        "history": [(_day(day), count) for day, count in sizes],
        "entered_today": entered, "left_today": left,
        "entered": queries.list_changes(segment.id, entered=True, limit=CHANGES),
        "left": queries.list_changes(segment.id, entered=False, limit=CHANGES),
        "used_by": queries.users_of_all().get(segment.id, []), "title_of": title_of,
        "used_outside": list(segments.list_outside_users(segment.id)),
    }  # fmt: skip


def is_waiting(segment: Segment) -> bool:
    """Whether the condition as it is now was not counted yet."""
    return segment.kind == SegmentKind.LIVE and segment.counted_version != segment.version and not segment.error


def _day(day: int) -> str:
    there = date.fromordinal(day + days.EPOCH)
    return f"{there.day} {there:%b}"


def members(segment: Segment) -> dict[str, Any]:
    q = request.args.get("q", "").strip()[:320]
    number = min(int_argument("page", 1, high=100_000) or 1, DEEPEST)
    page = profile_queries.list_profiles(q, "", segment.id, number, MEMBERS)
    pages = max(1, min(page.pages, DEEPEST))
    if number > pages:
        page = profile_queries.list_profiles(q, "", segment.id, pages, MEMBERS)
    return {
        "segment": segment, "people": page.items, "people_total": page.total, "page": page.number, "pages": pages,
        "q": q, "since": queries.entered_at(segment.id, [row.id for row in page.items]),
        "title_of": title_of, "subtitle_of": subtitle_of, "city_of": city_of,
        "page_url": f"/app/segments/{segment.id}/members?" + (urlencode({"q": q}) + "&" if q else "") + "page={page}",
    }  # fmt: skip


def why(segment: Segment) -> dict[str, Any]:
    """The people a text finds, or the explanation about one."""
    asked = request.args.get("who", "").strip()[:320]
    person_id = int_argument("person", high=2**31 - 1)
    person = find_row(Profile, person_id) if person_id else None
    if person is not None and person.merged_into_id is not None:
        person = None
    found = profile_queries.list_profiles(asked, limit=FOUND).items if asked and person is None else []
    return {
        "segment": segment, "who": asked, "found": found, "person": person, "title_of": title_of,
        "subtitle_of": subtitle_of, "why": segments.explain(segment.id, person.id) if person else None,
    }  # fmt: skip


def overlap(segment: Segment) -> dict[str, Any]:
    """The people in this and another segment."""
    others = [(number, name) for number, name in queries.names_by_id() if number != segment.id]
    other_id = int_argument("with", high=2**31 - 1)
    other = find_row(Segment, other_id) if other_id in dict(others) else None
    return {
        "segment": segment, "others": others, "other": other,
        "both": queries.overlap(segment.id, other.id) if other else None,
    }  # fmt: skip
