"""Where messages went and how they fared there, counted as it happens: a few rows in a quarter of an hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from app.core.clock import utc_now
from app.core.tenancy import current_tenant_id
from app.messaging.models import CountryCount
from app.messaging.services.delivery_counts import Change, add_up, steps
from app.messaging.services.phones import calling_code

_counts: Any = CountryCount.__table__
MINUTES = 15  # every time zone of today is a whole number of these from UTC, so days of any zone add up
KEYS = ("tenant_id", "at", "campaign_id", "code", "outcome")


def count(changes: Iterable[Change]) -> None:
    """Count the changes in the current unit of work: one statement, rows in a fixed order, none for what never left."""
    found: Counter[tuple[int, str, str]] = Counter()
    for one in changes:
        for sign, (outcome, _) in steps(one):
            found[one.campaign_id or 0, calling_code(one.address), outcome] += sign * one.n
    tenant_id, at = current_tenant_id(), quarter_of(utc_now())
    rows = [dict(zip(KEYS, (tenant_id, at, *key), strict=True)) | {"n": n} for key, n in sorted(found.items()) if n]
    add_up(_counts, KEYS, ("n",), rows)


def quarter_of(moment: datetime) -> datetime:
    """The beginning of the quarter of an hour a moment is in."""
    return moment.replace(minute=moment.minute - moment.minute % MINUTES, second=0, microsecond=0)
