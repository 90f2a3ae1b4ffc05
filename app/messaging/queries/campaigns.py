"""Campaigns as lists and pages show them: each with its segment, its texts and its figures, in a few statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, case, column, func, select, table

from app.core.db import db
from app.core.paging import Page, paginate
from app.core.tenancy import current_tenant_id
from app.messaging.models import (
    ACCEPTED,
    LOST,
    REACHED,
    Campaign,
    CampaignState,
    CampaignTally,
    CampaignVariant,
    MessageState,
    MessageTemplate,
    Skip,
    TemplateVersion,
)

_segments = table("segments", *map(column, ("id", "uuid", "name", "tenant_id", "member_count")))
SORTS = {"new": "Newest", "started": "Started last", "next": "Next scheduled", "name": "Name"}
_LIVE_FIRST = {state: place for place, state in enumerate((CampaignState.RUNNING, CampaignState.PAUSED))}


@dataclass(frozen=True)
class SegmentName:
    """Whom a campaign writes to."""

    id: int
    uuid: str
    name: str
    member_count: int | None


@dataclass(frozen=True)
class Text:
    """A variant with the template and the version it sends."""

    variant: CampaignVariant
    template: MessageTemplate
    version: TemplateVersion


@dataclass(frozen=True)
class Figures:
    """A campaign's tallies: (variant, state, reason) to how many."""

    by: Counter[tuple[int, str, str]] = field(default_factory=Counter)

    def count(self, states: Iterable[str], *, reason: str | None = None, variant_id: int | None = None) -> int:
        wanted = set(states)
        return sum(
            n
            for (variant, state, why), n in self.by.items()
            if state in wanted and reason in (None, why) and variant_id in (None, variant)
        )

    def reasons(self, states: Iterable[str]) -> list[tuple[str, int]]:
        """Why messages are in one of these states, the most frequent first."""
        wanted, found = set(states), Counter[str]()
        for (_, state, why), n in self.by.items():
            if state in wanted and n > 0:
                found[why] += n
        return found.most_common()

    def of_variant(self, variant_id: int) -> Figures:
        return Figures(Counter({key: n for key, n in self.by.items() if key[0] == variant_id}))

    @property
    def people(self) -> int:
        """Everyone who has their row."""
        return sum(self.by.values())

    @property
    def skipped(self) -> int:
        return self.count((MessageState.SKIPPED,))

    @property
    def wanted(self) -> int:
        """Everyone who is to be written to, or was."""
        return self.people - self.skipped

    @property
    def sent(self) -> int:
        """Taken by the provider, whatever became of them then."""
        return self.count(ACCEPTED)

    @property
    def handed_over(self) -> int:
        """Sent, and those the provider refused: what the messaging contract calls sent."""
        return self.count({*ACCEPTED, *LOST})

    @property
    def delivered(self) -> int:
        return self.count(REACHED)

    @property
    def on_the_way(self) -> int:
        return self.count((MessageState.QUEUED, MessageState.SENT))

    @property
    def failed(self) -> int:
        """Refused by the provider, or taken and not delivered."""
        return self.count(LOST)

    @property
    def waiting(self) -> int:
        return self.count((MessageState.PENDING, MessageState.CLAIMED))

    @property
    def held(self) -> int:
        return self.count((MessageState.PENDING,), reason=Skip.QUIET_HOURS)

    @property
    def unknown(self) -> int:
        return self.count((MessageState.UNKNOWN,))

    @property
    def cancelled(self) -> int:
        return self.count((MessageState.CANCELLED,))

    @property
    def done(self) -> int:
        """Those nothing more is done for: taken or given up."""
        return self.wanted - self.waiting - self.unknown


@dataclass(frozen=True)
class Row:
    """A campaign with what goes with it. `segment` is None should it be gone."""

    campaign: Campaign
    segment: SegmentName | None
    texts: Sequence[Text]
    figures: Figures


def list_rows(page: int, limit: int, *, q: str = "", states: Collection[str] = (), sort: str = "new") -> Page[Row]:
    """A page of campaigns, in five statements however many there are."""
    found = paginate(_chosen(q, states, sort), page, limit)
    return Page(rows_of(found.items), found.total, found.number, found.limit)


def rows_of(campaigns: Sequence[Campaign]) -> list[Row]:
    """With their segments, texts and figures."""
    ids = [one.id for one in campaigns]
    segments = _segments_of({one.segment_id for one in campaigns})
    texts, figures = texts_of(ids), figures_of(ids)
    return [
        Row(one, segments.get(one.segment_id), texts.get(one.id, []), figures.get(one.id, Figures()))
        for one in campaigns
    ]


def row_of(campaign: Campaign) -> Row:
    return rows_of([campaign])[0]


def _chosen(q: str, states: Collection[str], sort: str) -> Select[Any]:
    statement = select(Campaign)
    if q:
        statement = statement.where(func.lower(Campaign.name).contains(q.lower(), autoescape=True))
    if states:
        statement = statement.where(Campaign.state.in_(states))
    live = case(_LIVE_FIRST, value=Campaign.state, else_=len(_LIVE_FIRST))
    orders: dict[str, list[Any]] = {
        "new": [live],
        "started": [Campaign.started_at.is_(None), Campaign.started_at.desc()],
        "next": [Campaign.schedule_at.is_(None), Campaign.schedule_at],
        "name": [func.lower(Campaign.name)],
    }
    return statement.order_by(*orders.get(sort, []), Campaign.id.desc())


def _segments_of(ids: Collection[int]) -> dict[int, SegmentName]:
    columns = [_segments.c[name] for name in ("id", "uuid", "name", "member_count")]
    rows = db.session.execute(
        select(*columns).where(_segments.c.tenant_id == current_tenant_id(), _segments.c.id.in_(ids))
    )
    return {row.id: SegmentName(*row) for row in rows}


def texts_of(campaign_ids: Collection[int]) -> dict[int, list[Text]]:
    """By campaign, its variants in the order of their labels."""
    statement: Any = select(CampaignVariant, MessageTemplate, TemplateVersion)
    statement = (
        statement.join(TemplateVersion, TemplateVersion.id == CampaignVariant.version_id)
        .join(MessageTemplate, MessageTemplate.id == TemplateVersion.template_id)
        .where(CampaignVariant.campaign_id.in_(campaign_ids))
        .order_by(CampaignVariant.campaign_id, CampaignVariant.label)
    )
    found: dict[int, list[Text]] = {}
    for variant, template, version in db.session.execute(statement):
        found.setdefault(variant.campaign_id, []).append(Text(variant, template, version))
    return found


def figures_of(campaign_ids: Collection[int]) -> dict[int, Figures]:
    """By campaign, what the tallies say."""
    rows = db.session.execute(
        select(
            CampaignTally.campaign_id, CampaignTally.variant_id, CampaignTally.state, CampaignTally.reason,
            CampaignTally.n,
        ).where(CampaignTally.campaign_id.in_(campaign_ids), CampaignTally.n != 0)
    )  # fmt: skip
    found: dict[int, Figures] = {}
    for campaign_id, variant_id, state, reason, n in rows:
        found.setdefault(campaign_id, Figures()).by[variant_id, state, reason] += n
    return found


def count_by_state() -> dict[str, int]:
    """How many campaigns of the workspace are in each state."""
    rows = db.session.execute(select(Campaign.state, func.count(Campaign.id)).group_by(Campaign.state))
    return {row[0]: row[1] for row in rows}


def has_started() -> bool:
    """Whether the workspace ever launched one."""
    return db.session.scalar(select(Campaign.id).where(Campaign.started_at.is_not(None)).limit(1)) is not None


def find_next() -> Campaign | None:
    """The campaign that starts next by itself."""
    statement = select(Campaign).where(Campaign.state == CampaignState.SCHEDULED, Campaign.schedule_at.is_not(None))
    return db.session.scalars(statement.order_by(Campaign.schedule_at).limit(1)).first()


def find_by_name(text: str, limit: int) -> list[Campaign]:
    """Campaigns whose name bears the text, the newest first."""
    named = func.lower(Campaign.name).contains(text.lower(), autoescape=True)
    return list(db.session.scalars(select(Campaign).where(named).order_by(Campaign.id.desc()).limit(limit)))


def list_segments(most: int = 500) -> list[SegmentName]:
    """The workspace's segments by name, with their size at the last count."""
    columns = [_segments.c[name] for name in ("id", "uuid", "name", "member_count")]
    statement = select(*columns).where(_segments.c.tenant_id == current_tenant_id())
    return [SegmentName(*row) for row in db.session.execute(statement.order_by(_segments.c.name).limit(most))]
