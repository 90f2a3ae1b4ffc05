"""Where messages went and how they fared there, counted as it happens: a few rows in a quarter of an hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from app.core.clock import utc_now
from app.core.tenancy import current_tenant_id
from app.messaging.models import CountryCount
from app.messaging.services.delivery_counts import Change, add_up, moment_of, steps
from app.messaging.services.phones import calling_code

_counts: Any = CountryCount.__table__
MINUTES = 15  # every time zone of today is a whole number of these from UTC, so days of any zone add up
KEYS = ("tenant_id", "at", "campaign_id", "code", "outcome")


def count(changes: Iterable[Change]) -> None:
    """Count the changes in the current unit of work: one statement, rows in a fixed order, none for what never left.

    Where a number was blanked meanwhile nobody knows from where to take it back: it stays where it was sent."""
    found: Counter[tuple[datetime, int, str, str]] = Counter()
    now = utc_now()
    for one in changes:
        code = calling_code(one.address)
        for sign, (outcome, _) in steps(one):
            if sign > 0 or code:
                found[quarter_of(moment_of(one, outcome, now)), one.campaign_id or 0, code, outcome] += sign * one.n
    tenant_id = current_tenant_id()
    rows = [dict(zip(KEYS, (tenant_id, *key), strict=True)) | {"n": n} for key, n in sorted(found.items()) if n]
    add_up(_counts, KEYS, ("n",), rows)


def quarter_of(moment: datetime) -> datetime:
    """The beginning of the quarter of an hour a moment is in."""
    return moment.replace(minute=moment.minute - moment.minute % MINUTES, second=0, microsecond=0)
