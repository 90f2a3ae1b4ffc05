"""Who followed which link: found by the token they came with, noted once as the first time, told in the timeline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select

from app.core.db import db
from app.core.tenancy import platform_scope, tenant_scope
from app.messaging.models import LinkClick, Message, TrackedLink
from app.messaging.services import links, message_events

_messages: Any = Message.__table__
_links: Any = TrackedLink.__table__
_ROBOTS = re.compile(
    r"bot\b|bot[/;]|crawl|spider|preview|facebookexternalhit|facebot|whatsapp|slack-imgproxy|skypeuripreview|"
    r"google-?(safety|inspection|read-aloud)|embedly|vkshare|iframely|curl/|wget/|python-|go-http-client|okhttp",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Followed:
    """A link of a message and where it leads."""

    tenant_id: int
    link_id: int
    url: str
    message_id: int
    place: int
    campaign_id: int
    variant_id: int


def find(token: str) -> Followed | None:
    """What the token stands for; None for what we did not write, or whose campaign is gone."""
    named = links.read(token)
    if named is None:
        return None
    message_id, place = named
    joined = and_(_links.c.campaign_id == _messages.c.campaign_id, _links.c.tenant_id == _messages.c.tenant_id)
    statement = (
        select(_messages.c.tenant_id, _links.c.id, _links.c.url, _messages.c.campaign_id, _messages.c.variant_id)
        .join(_links, joined)
        .where(_messages.c.id == message_id, _links.c.position == place)
    )
    with platform_scope():  # the reader is nobody's user: the signed message leads to the tenant
        row = db.session.execute(statement).one_or_none()
    if row is None:
        return None
    return Followed(row.tenant_id, row.id, row.url, message_id, place, row.campaign_id, row.variant_id)


def is_robot(agent: str) -> bool:
    """Whether it is a program that looks at links before people do. No name at all is a program too."""
    return not agent.strip() or bool(_ROBOTS.search(agent))


def record(followed: Followed, at: datetime) -> LinkClick:
    """Note one visit in the current unit of work; the first is told in the reader's timeline.

    The message's row is locked for it, so that of two visits at once one is the first.
    """
    with tenant_scope(followed.tenant_id):
        message = db.session.scalars(select(Message).where(Message.id == followed.message_id).with_for_update()).one()
        earlier = select(LinkClick.id).where(
            LinkClick.message_id == followed.message_id, LinkClick.link_id == followed.link_id
        )
        row = LinkClick(
            link_id=followed.link_id, message_id=followed.message_id, campaign_id=followed.campaign_id,
            variant_id=followed.variant_id, is_first=db.session.scalar(earlier.limit(1)) is None, at=at,
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()
        if row.is_first and message.profile_id is not None:
            key = f"{followed.message_id}.{followed.place}"
            told = {"url": followed.url[:500], "campaign_id": followed.campaign_id, "channel": message.channel}
            message_events.record([
                message_events.fact(message_events.CLICKED, message.profile_id, at, key, **told)
            ])  # fmt: skip
        return row
