"""People as a table for spreadsheets, written as it is read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from app.cdp.models import Channel, Profile
from app.cdp.queries import pages_profiles, profiles
from app.core.clock import iso
from app.core.tenancy import tenant_scope

MOST_ROWS = 100_000
COLUMNS = ("id", "name", "email", "phone", "user_id", "lifecycle", "first_seen_at", "last_seen_at", *(
    f"consented_{channel}" for channel in Channel), "traits")  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(tenant_id: int, q: str, lifecycle: str, segment_id: int | None) -> Iterator[str]:
    """The lines, a step at a time, of at most 100,000 people. A cell a spreadsheet would run is made plain."""
    yield "\ufeff" + _lines([COLUMNS])  # the mark tells Excel that this is UTF-8
    with tenant_scope(tenant_id):
        for people in _steps(q, lifecycle, segment_id):
            channels = pages_profiles.consented_channels(row.id for row in people)
            yield _lines([_cells(row, channels.get(row.id, [])) for row in people])


def _steps(q: str, lifecycle: str, segment_id: int | None) -> Iterator[list[Profile]]:
    if q:
        yield profiles.list_profiles(q, lifecycle, segment_id, 1, profiles.MOST_HITS).items
    else:
        yield from pages_profiles.each_profile(lifecycle, segment_id, MOST_ROWS)


def _cells(row: Profile, channels: list[str]) -> list[Any]:
    plain = [row.id, row.name, row.email, row.phone, row.user_id, row.lifecycle]
    seen = [iso(row.first_seen_at), iso(row.last_seen_at)]
    agreed = ["yes" if channel in channels else "" for channel in Channel]
    return [*plain, *seen, *agreed, json.dumps(row.traits, ensure_ascii=False) if row.traits else ""]


def _lines(rows: list[Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def _harmless(value: Any) -> Any:
    """A phone number keeps its plus: it is digits, and no formula."""
    if not isinstance(value, str) or not value.lstrip(" \n").startswith(_FORMULA):
        return value
    return value if value[:1] == "+" and value[1:].isdigit() else f"'{value}"
