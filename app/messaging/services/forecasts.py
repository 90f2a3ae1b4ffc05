"""What a campaign would do if it were launched now: who gets it, who does not and why, in how many parts, by when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from app.cdp.queries.segment_pages import load_people
from app.cdp.services import segments
from app.cdp.services.engine.idset import IdSet
from app.core.clock import utc_now
from app.core.db import db
from app.messaging.models import Campaign, MessageChannel, Skip
from app.messaging.services import accounts, forecast_times, recipients, rules, template_people
from app.messaging.services.forecast_times import Ending
from app.messaging.services.links import LinkSet
from app.messaging.services.plans import workspace
from app.messaging.services.rendering import compile_text

EXACT_UNTIL = 200_000
SAMPLE = 50_000  # of more people than that, so many are looked at
READ = 400  # whose texts, numbers and zones are read
SHOWN = 200


@dataclass(frozen=True)
class Reach:
    """Who of the segment would be written to. `is_estimate`: a sample was looked at and scaled."""

    people: int
    sendable: int
    skipped: Mapping[str, int]
    is_estimate: bool = False


@dataclass(frozen=True)
class TextForecast:
    """How one text comes out for those who would get it, by a sample of `looked_at` of them."""

    label: str
    share: float
    looked_at: int
    missing: int
    average_parts: float
    most_parts: int
    cost_micros: int


@dataclass(frozen=True)
class Forecast:
    """A campaign's forecast. `lacking` would be skipped for a missing value, about; `ending` is None for nobody."""

    reach: Reach
    texts: Sequence[TextForecast] = ()
    lacking: int = 0
    currency: str = "USD"
    held: int = 0
    ending: Ending | None = None
    per_second: float = 0.0
    problems: Sequence[str] = field(default=())

    @property
    def cost_micros(self) -> int:
        return sum(one.cost_micros for one in self.texts)

    @property
    def sendable(self) -> int:
        """About how many get a message in the end."""
        return max(0, self.reach.sendable - self.lacking)


def reach(campaign: Campaign) -> Reach:
    """Counted by the statement the freezing uses: exact up to 200,000 people, a stable sample of them above that."""
    return _reach(campaign, segments.members_of(campaign.segment_id))


def forecast(
    campaign: Campaign, contents: Sequence[tuple[str, str, int]], starts_at: datetime | None = None
) -> Forecast:
    """Of a saved campaign or one that is still being made; `contents` are label, text and weight of its variants."""
    members = segments.members_of(campaign.segment_id)
    found = _reach(campaign, members)
    chosen = _sendable_sample(campaign, members)
    texts = _texts(campaign, contents, chosen, found.sendable)
    missing = sum(one.missing * one.share / one.looked_at for one in texts if one.looked_at)
    lacking = round(found.sendable * missing)
    sender = accounts.find_sender(campaign.channel, campaign.sender_id)
    paces = [one for one in (campaign.rate_per_second, sender.per_second if sender else 0.0) if one]
    per_second = min(paces, default=0.0)
    begins = starts_at or utc_now()
    nights = forecast_times.nights(campaign, load_people(chosen), begins)
    sent = max(0, found.sendable - lacking)
    return Forecast(
        found, texts, lacking, rules.load().prices.currency, round(sent * nights.held_share),
        forecast_times.ending(nights, sent, per_second, begins) if sent and chosen else None, per_second,
    )  # fmt: skip


def _reach(campaign: Campaign, members: IdSet) -> Reach:
    size = len(members)
    ids = members.page(0, size) if size <= EXACT_UNTIL else template_people.drawn(members, SAMPLE)
    counts = recipients.count(campaign, ids) if ids else Counter()
    counts[Skip.GONE] += max(0, len(ids) - sum(counts.values()))
    scale = size / len(ids) if ids else 1.0
    skipped = {str(reason): round(n * scale) for reason, n in counts.most_common() if reason and n}
    sendable = max(0, size - sum(skipped.values())) if counts[""] else 0
    return Reach(size, sendable, skipped, is_estimate=size > EXACT_UNTIL)


def _sendable_sample(campaign: Campaign, members: IdSet) -> list[int]:
    """Some of those who would be written to, evenly drawn: the same each time."""
    drawn = template_people.drawn(members, READ * 10)
    if not drawn:
        return []
    decided = recipients.decide(campaign, drawn).subquery()
    rows = db.session.scalars(select(decided.c.id).where(decided.c.reason == "").order_by(decided.c.id))
    return template_people.drawn(IdSet.of(rows), READ)


def _texts(
    campaign: Campaign, contents: Sequence[tuple[str, str, int]], chosen: list[int], sendable: int
) -> list[TextForecast]:
    total = sum(weight for _, _, weight in contents) or 1
    people, company = IdSet.of(chosen), workspace().name
    links = links_of(campaign, [content for _, content, _ in contents])
    return [
        _text(campaign, label, (content, links), weight / total, people, company, sendable)
        for label, content, weight in contents
    ]


def _text(
    campaign: Campaign,
    label: str,
    words: tuple[str, LinkSet | None],
    share: float,
    people: IdSet,
    company: str,
    sendable: int,
) -> TextForecast:
    spread = template_people.spread(compile_text(words[0]), people, company, words[1])
    sent = (spread.people - spread.missing) / spread.people if spread.people else 0.0
    parts = spread.average if campaign.channel == MessageChannel.SMS else 1.0
    price = rules.load().prices.of(campaign.channel)
    return TextForecast(
        label, share, spread.people, spread.missing, spread.average, max(spread.parts, default=0),
        round(sendable * share * sent * parts * price),
    )  # fmt: skip


def links_of(campaign: Campaign, contents: Sequence[str]) -> LinkSet | None:
    """The links a campaign of these texts will track; on WhatsApp none, whose texts are approved word by word."""
    return LinkSet.of(contents) if campaign.tracks_links and campaign.channel == MessageChannel.SMS else None


def remaining(left: int, per_second: float) -> datetime | None:
    """When `left` messages of a running campaign are gone at a pace, nights aside; None where there is no telling."""
    if not left or per_second <= 0:
        return None
    return forecast_times.after(utc_now(), left / per_second)
