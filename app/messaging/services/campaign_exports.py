"""A campaign's messages as a table for spreadsheets, written as it is read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from app.core.clock import iso
from app.core.tenancy import tenant_scope
from app.messaging.queries import campaign_log
from app.messaging.queries.campaign_log import Line, Wanted
from app.messaging.services import words
from app.messaging.services.delivery_reference import public_id

COLUMNS = ("message", "profile", "name", "phone", "variant", "state", "reason", "in_words", "error_code", "sent_at",
           "delivered_at", "parts")  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(tenant_id: int, campaign_id: int, wanted: Wanted) -> Iterator[str]:
    """The lines, some thousands at a time. A cell a spreadsheet would run is made plain."""
    yield "\ufeff" + _lines([COLUMNS])  # the mark tells Excel that this is UTF-8
    with tenant_scope(tenant_id):
        for lines in campaign_log.each(campaign_id, wanted):
            yield _lines([_cells(one) for one in lines])


def _cells(one: Line) -> list[Any]:
    row = one.row
    return [
        public_id(row.id), row.profile_id or "", one.name, row.address, one.variant, row.state, row.reason,
        words.of_message(row.state, row.reason)[0], row.error_code or "", iso(row.sent_at) or "",
        iso(row.delivered_at) or "", row.segments or "",
    ]  # fmt: skip


def _lines(rows: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def _harmless(value: Any) -> Any:
    """A phone number keeps its plus: it is digits, and no formula."""
    if not isinstance(value, str) or not value.lstrip(" \n").startswith(_FORMULA):
        return value
    return value if value[:1] == "+" and value[1:].isdigit() else f"'{value}"
