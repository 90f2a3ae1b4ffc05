"""What a campaign is made of: its segment, texts and sender, looked at when it is kept and again before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import column, select, table

from app.cdp.services import segments
from app.core.db import db
from app.core.errors import NotFound, ValidationFailed
from app.core.tenancy import current_tenant_id
from app.messaging.models import Approval, Campaign, CampaignVariant, MessageChannel, MessageTemplate, TemplateVersion
from app.messaging.services import accounts, templates
from app.messaging.services import campaign_rules as rules
from app.messaging.services.campaign_rules import CampaignIn, VariantIn
from app.messaging.services.links import LinkSet
from app.messaging.services.recipients import list_variants
from app.messaging.services.template_rules import MOST_CHARACTERS

_segments = table("segments", *map(column, ("id", "uuid", "name", "tenant_id", "member_count", "kind")))
LETTERS = "ABCDE"
SEGMENT_COLUMNS = ("id", "uuid", "name", "member_count")


def find_segment(segment_id: int) -> Any:
    """id, uuid, name and member_count of a segment of the tenant; ValidationFailed without one."""
    columns = [_segments.c[name] for name in SEGMENT_COLUMNS]
    where = (_segments.c.tenant_id == current_tenant_id(), _segments.c.id == segment_id)
    row = db.session.execute(select(*columns).where(*where)).one_or_none()
    if row is None:
        raise ValidationFailed("segment_id: there is no such segment.", field="segment_id", provided=segment_id,
                               expected="the id of a segment")  # fmt: skip
    return row


def find_template(template_id: int) -> MessageTemplate:
    """A template a campaign may send; ValidationFailed for one that is not there or not active."""
    try:
        row = templates.get(template_id)
    except NotFound:
        raise ValidationFailed("template_id: there is no such template.", field="template_id", provided=template_id,
                               expected="the id of a template") from None  # fmt: skip
    if not row.is_active:
        raise ValidationFailed(f"template_id: “{row.name}” is not active.", field="template_id", provided=row.name,
                               expected="an active template")  # fmt: skip
    return row


def checked(wanted: CampaignIn) -> tuple[dict[str, Any], list[TemplateVersion]]:
    """The columns of a campaign, and the version each variant sends."""
    find_segment(wanted.segment_id)
    rules.variants(wanted.variants)
    found = [find_template(one.template_id) for one in wanted.variants]
    channels = {one.channel for one in found}
    if len(channels) > 1:
        raise ValidationFailed("variants: all must be of one channel.", field="variants", provided=sorted(channels),
                               expected="templates of one channel")  # fmt: skip
    channel = channels.pop()
    if wanted.sender_id is not None:
        accounts.get_sender(channel, wanted.sender_id)
    quiet_start, quiet_end = rules.quiet_hours(wanted.quiet_start, wanted.quiet_end)
    goal_event, goal_days = rules.goal(wanted.goal_event, wanted.goal_days)
    values = {
        "name": rules.name(wanted.name), "description": wanted.description.strip()[:2000], "channel": channel,
        "segment_id": wanted.segment_id, "sender_id": wanted.sender_id,
        "schedule_at": rules.schedule(wanted.schedule_at), "rate_per_second": rules.rate(wanted.rate_per_second),
        "quiet_start": quiet_start, "quiet_end": quiet_end, "keeps_caps": wanted.keeps_caps,
        "holdout_percent": rules.holdout(wanted.holdout_percent), "tracks_links": wanted.tracks_links,
        "goal_event": goal_event, "goal_days": goal_days,
    }  # fmt: skip
    versions = [templates.version_to_send(one) for one in found]
    refuse_too_long(versions, channel, tracks_links=wanted.tracks_links)
    return values, versions


def refuse_too_long(versions: Sequence[TemplateVersion], channel: str, *, tracks_links: bool) -> None:
    """A text that fits only with its own addresses: tracked ones, which may be longer, would not be sent."""
    if channel != MessageChannel.SMS or not tracks_links:
        return
    links, most = LinkSet.of(one.content for one in versions), MOST_CHARACTERS[MessageChannel.SMS]
    longest = max((len(links.tracked(one.content)) for one in versions), default=0)
    if longest > most:
        raise ValidationFailed(
            f"tracks_links: with tracked links the text has {longest:,} characters, and at most {most:,} can be sent. "
            "Shorten it, or turn link tracking off.",
            field="tracks_links", provided=f"{longest:,} characters", expected=f"at most {most:,} characters",
        )  # fmt: skip


def set_variants(row: Campaign, wanted: Sequence[VariantIn], versions: Sequence[TemplateVersion]) -> None:
    """Give it these texts, lettered in their order."""
    for letter, one, version in zip(LETTERS, wanted, versions, strict=False):
        db.session.add(CampaignVariant(campaign_id=row.id, label=letter, version_id=version.id, weight=one.weight))
    db.session.flush()


def template_of(variant: CampaignVariant) -> int:
    return db.session.scalars(select(TemplateVersion.template_id).where(TemplateVersion.id == variant.version_id)).one()


def versions_of(row: Campaign) -> list[TemplateVersion]:
    ids = [one.version_id for one in list_variants(row.id)]
    return list(db.session.scalars(select(TemplateVersion).where(TemplateVersion.id.in_(ids))))


def refuse_unsendable(row: Campaign, versions: Sequence[TemplateVersion]) -> None:
    """What would fail for everyone is said before anyone is written to."""
    rules.quiet_hours(row.quiet_start, row.quiet_end)  # the workspace's US hours may be newer
    accounts.provider()
    accounts.get_sender(row.channel, row.sender_id)
    if row.channel == MessageChannel.WHATSAPP and any(one.approval != Approval.APPROVED for one in versions):
        raise ValidationFailed("The text is not approved by WhatsApp yet. Submit it on the template's page.",
                               field="template_id", expected="an approved template")  # fmt: skip
    if not len(segments.members_of(row.segment_id)):
        raise ValidationFailed("Nobody is in the segment of this campaign.", field="segment_id",
                               provided=find_segment(row.segment_id).uuid,
                               expected="a segment with people in it")  # fmt: skip
