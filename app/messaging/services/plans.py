"""What sending a campaign takes, read in a few statements and kept by a worker while it sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import column, select, table

from app.core.db import db, find_row
from app.core.tenancy import current_tenant_id
from app.messaging.models import SENDS, Approval, Campaign, MessageChannel, TemplateVersion
from app.messaging.providers.base import MessageProvider
from app.messaging.services import accounts, links, rules, template_people
from app.messaging.services.accounts import Sender
from app.messaging.services.gate import Pace
from app.messaging.services.links import LinkSet
from app.messaging.services.quiet_hours import Window
from app.messaging.services.recipients import caps_of, list_variants
from app.messaging.services.rendering import Compiled, compiled

_tenants = table("tenants", *map(column, ("id", "name", "timezone")))


@dataclass(frozen=True)
class Text:
    """A version as it is sent: by the words themselves, or on WhatsApp by its approved content."""

    compiled: Compiled
    content_sid: str = ""


@dataclass(frozen=True)
class Workspace:
    """What a message may say or need of its workspace."""

    tenant_id: int
    name: str
    timezone: str


@dataclass(frozen=True)
class Plan:
    """A running campaign as a worker sends it."""

    campaign_id: int
    channel: str
    workspace: Workspace
    sender: Sender
    provider: MessageProvider
    per_second: float
    quiet: Window
    keeps_us_hours: bool
    caps: tuple[rules.Cap, ...]
    texts: dict[int, Text] = field(default_factory=dict)
    links: LinkSet | None = None
    figures: frozenset[str] = frozenset()  # the computed traits its texts name

    @property
    def paces(self) -> list[Pace]:
        """Its own pace and its sender's, which others may share."""
        return [Pace(f"campaign:{self.campaign_id}", self.per_second), sender_pace(self.sender)]


def sender_pace(sender: Sender) -> Pace:
    """A sender's pace, shared by everybody who sends by it."""
    return Pace(f"sender:{sender.channel}:{sender.address}", sender.per_second)


def load(campaign_id: int, *, only_running: bool = True) -> Plan | None:
    """The plan of a campaign of the acting tenant; None when it neither runs nor is over with something to be tried
    again. Conflict when it cannot be sent."""
    campaign = find_row(Campaign, campaign_id)
    if campaign is None or (only_running and campaign.state not in SENDS):
        return None
    in_force = rules.load()
    texts = _texts(campaign)
    named = {name for text in texts.values() for name in text.compiled.names}
    quiet = Window.between(campaign.quiet_start or in_force.quiet_start, campaign.quiet_end or in_force.quiet_end)
    return Plan(
        campaign_id=campaign.id,
        channel=campaign.channel,
        workspace=workspace(),
        sender=accounts.get_sender(campaign.channel, campaign.sender_id),
        provider=accounts.provider(),
        per_second=campaign.rate_per_second,
        quiet=quiet,
        keeps_us_hours=in_force.keeps_us_hours,
        caps=tuple(caps_of(campaign)),
        texts=texts,
        figures=frozenset(named & template_people.computed_names()) if named else frozenset(),
        links=links.load(campaign.id) if campaign.tracks_links else None,
    )


def workspace() -> Workspace:
    """The acting tenant's."""
    row = db.session.execute(select(_tenants).where(_tenants.c.id == current_tenant_id())).one()
    return Workspace(row.id, row.name, row.timezone or "UTC")


def _texts(campaign: Campaign) -> dict[int, Text]:
    variants = {one.version_id: one.id for one in list_variants(campaign.id)}
    rows = db.session.scalars(select(TemplateVersion).where(TemplateVersion.id.in_(variants)))
    return {variants[row.id]: text_of(row, campaign.channel) for row in rows}


def text_of(version: TemplateVersion, channel: str) -> Text:
    """How a version is sent on a channel."""
    by_content: Any = channel == MessageChannel.WHATSAPP and version.approval == Approval.APPROVED
    return Text(compiled(version), version.content_sid if by_content else "")
