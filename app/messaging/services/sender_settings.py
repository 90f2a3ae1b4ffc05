"""The numbers a workspace's messages leave from: added, changed, removed; one of each channel is the default."""

from __future__ import annotations

import math
import re

from sqlalchemy import or_, select

from app.accounts.services import audit
from app.core.db import db, get_required
from app.core.errors import Conflict, ValidationFailed
from app.messaging.models import Campaign, CampaignState, MessageChannel, MessageSender
from app.messaging.services import phones, retries

_SHORT_CODE, _SERVICE = re.compile(r"\d{3,8}"), re.compile(r"MG[0-9a-f]{32}")
MOST, SLOWEST, FASTEST = 100, 0.01, 1000.0
_LIVE = (CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.FAILED)


def list_own() -> list[MessageSender]:
    """The workspace's senders, by channel, the default first."""
    order = (MessageSender.channel, MessageSender.is_default.desc(), MessageSender.id)
    return list(db.session.scalars(select(MessageSender).order_by(*order)))


def add(channel: str, address: str, label: str = "", rate: float = 1.0) -> MessageSender:
    """The first of a channel is its default."""
    if channel not in set(MessageChannel):
        raise ValidationFailed("channel: choose SMS or WhatsApp.", field="channel")
    address, own = _address(channel, address), list_own()
    if len(own) >= MOST:
        raise ValidationFailed(f"address: a workspace has at most {MOST} senders.", field="address")
    if any(row.channel == channel and row.address == address for row in own):
        raise ValidationFailed("address: this sender is there already.", field="address")
    row = MessageSender(
        channel=channel, address=address, label=_label(label), rate_per_second=_rate(rate),
        is_default=not any(one.channel == channel for one in own),
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    audit.record("messaging.sender_added", row, after={"channel": channel, "address": address}, label=address)
    return row


def change(sender_id: int, label: str, rate: float) -> MessageSender:
    """Another name or rate; campaigns under way go by the new rate within seconds."""
    row = get_required(MessageSender, sender_id, for_update=True, label="Sender")
    before, after = audit.changed(row, {"label": _label(label), "rate_per_second": _rate(rate)})
    if after:
        audit.record("messaging.sender_changed", row, before=before, after=after, label=row.address)
    db.session.flush()
    return row


def make_default(sender_id: int) -> MessageSender:
    """Campaigns and answers that name no sender leave from this one."""
    row = get_required(MessageSender, sender_id, for_update=True, label="Sender")
    for other in list_own():
        if other.channel == row.channel:
            other.is_default = other.id == row.id
    audit.record("messaging.sender_changed", row, after={"default": True}, label=row.address)
    db.session.flush()
    return row


def remove(sender_id: int) -> None:
    """Refused while a campaign names it that is not over or tries something again. Of the others the oldest becomes the
    default."""
    row = get_required(MessageSender, sender_id, for_update=True, label="Sender")
    needs_it = or_(Campaign.state.in_(_LIVE), retries.are_waiting())
    users = select(Campaign.name).where(Campaign.sender_id == row.id, needs_it).limit(3)
    names = list(db.session.scalars(users))
    if names:
        raise Conflict(f"{row.address} is the sender of {', '.join(names)}. End or change that first.")
    audit.record("messaging.sender_removed", row, before={"channel": row.channel, "address": row.address},
                 label=row.address)  # fmt: skip
    db.session.delete(row)
    db.session.flush()
    rest = [one for one in list_own() if one.channel == row.channel]
    if rest and not any(one.is_default for one in rest):
        rest[0].is_default = True
        db.session.flush()


def _address(channel: str, text: str) -> str:
    text = text.strip().removeprefix("whatsapp:")
    if _SERVICE.fullmatch(text) or (channel == MessageChannel.SMS and _SHORT_CODE.fullmatch(text)):
        return text
    return phones.read(text, "address")


def _label(text: str) -> str:
    text = " ".join(text.split())
    if len(text) > 100:
        raise ValidationFailed("label: has at most 100 characters.", field="label")
    return text


def _rate(rate: float) -> float:
    if not math.isfinite(rate) or not (rate == 0 or SLOWEST <= rate <= FASTEST):
        raise ValidationFailed(f"rate: is 0 (no limit of its own) or {SLOWEST:g} to {FASTEST:,.0f} a second.",
                               field="rate")  # fmt: skip
    return rate
