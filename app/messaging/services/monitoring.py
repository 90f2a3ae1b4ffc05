"""How messages fare in the whole workspace, now: some ten statements, whatever it holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.cdp.queries import contacts
from app.cdp.queries.contacts import Answers
from app.core.clock import utc_now
from app.messaging.models import InboundMessage, MessageChannel
from app.messaging.providers.errors import remedy_for
from app.messaging.queries import deliveries, monitoring
from app.messaging.queries.deliveries import Totals
from app.messaging.queries.monitoring import InboundFigures, RecentError
from app.messaging.services import words

DAY = timedelta(hours=24)
MOST_ERRORS = 10


@dataclass(frozen=True)
class Dashboard:
    """People are those with a number; who agreed and who said no is of SMS."""

    running: int
    people: int
    opted_in: int
    opted_out: int
    day: Totals
    inbound: int
    errors: list[RecentError]


@dataclass(frozen=True)
class InboundActivity:
    """`asked` is of the hours asked for, `total_of_day` of the last 24."""

    rows: list[InboundMessage]
    asked: InboundFigures
    total_of_day: int
    hours: int


def dashboard() -> Dashboard:
    since = utc_now() - DAY
    sms = MessageChannel.SMS
    return Dashboard(
        monitoring.count_running(), contacts.count(None), contacts.count(Answers(sms, "granted")),
        contacts.count(Answers(sms, "denied")), deliveries.totals(since), monitoring.count_inbound(since),
        monitoring.recent_errors(since, MOST_ERRORS),
    )  # fmt: skip


def inbound_activity(hours: int, limit: int) -> InboundActivity:
    now = utc_now()
    since = now - timedelta(hours=hours)
    asked = monitoring.inbound_figures(since)
    of_day = asked.total if hours == 24 else monitoring.count_inbound(now - DAY)
    return InboundActivity(monitoring.list_inbound(since, limit), asked, of_day, hours)


def error_words(error: RecentError) -> str:
    """What the provider's code says to people; without one, the kind of the failure."""
    return words.of_failure(error.reason).label if error.code is None else remedy_for(error.code).words


def hours_since(moment: datetime) -> float:
    return round((utc_now() - moment).total_seconds() / 3600, 2)
