"""How campaigns went, in the words of the messaging contract: from figures kept as it happens, never by counting."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from app.core.clock import utc_now
from app.messaging.models import ACCEPTED, ENDED, LOST, REACHED, Campaign, MessageState
from app.messaging.providers.base import ErrorClass
from app.messaging.queries import deliveries
from app.messaging.services import campaigns, tallies
from app.messaging.services.variant_reports import link_report, variant_report

__all__ = ["Summary", "link_report", "public_state", "summary_of", "variant_report"]

ERROR_WORDS: dict[str, str] = {
    ErrorClass.BAD_NUMBER: "invalid_phone_number",
    ErrorClass.TRANSIENT: "network_error",
    ErrorClass.RATE_LIMIT: "rate_limit_exceeded",
}
"""The contract's words for what it has words for; others are ours."""


@dataclass(frozen=True)
class Summary:
    """A campaign's figures. `sent` are those handed over, those the provider refused among them, as the contract
    counts: delivered, failed, undelivered and on the way add up to it."""

    campaign: Campaign
    states: dict[str, int]
    errors: dict[str, int]
    average_seconds: float | None
    duration_minutes: float | None

    @property
    def sent(self) -> int:
        return sum(self.states.get(state, 0) for state in {*ACCEPTED, *LOST})

    @property
    def delivered(self) -> int:
        return sum(self.states.get(state, 0) for state in REACHED)

    @property
    def failed(self) -> int:
        return sum(self.states.get(state, 0) for state in LOST)


def summary_of(campaign: Campaign) -> Summary:
    """Two statements over a campaign's tallies and its five-minute counts, whatever its size."""
    states: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for row in tallies.of_campaign(campaign.id):
        states[row.state] += row.n
        if row.state in LOST:
            errors[error_word(row.reason)] += row.n
    average = deliveries.totals(None, None, campaign.id).average_seconds
    return Summary(campaign, dict(states), dict(errors.most_common()), average, _minutes(campaign))


def summary_by_uuid(uuid: str) -> Summary:
    return summary_of(campaigns.get_by_uuid(uuid))


def error_word(reason: str) -> str:
    """A reason as the contract says it."""
    return ERROR_WORDS.get(reason, reason or "unknown")


def public_state(state: str) -> str:
    """A message's state as APIs say it: `DELIVERED`; one a worker is about to send is pending still."""
    return MessageState.PENDING.upper() if state == MessageState.CLAIMED else state.upper()


def percent_of(part: int, base: int) -> float:
    """A share in percent with two decimals, 0 of nothing."""
    return round(100 * part / base, 2) if base > 0 else 0.0


def _minutes(campaign: Campaign) -> float | None:
    """From the start to the end, or to now while it is not over."""
    if campaign.started_at is None:
        return None
    end = campaign.completed_at if campaign.state in ENDED and campaign.completed_at else utc_now()
    return round((end - campaign.started_at).total_seconds() / 60, 1)
