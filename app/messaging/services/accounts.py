"""The account messages are sent by, and the senders they leave from: the tenant's own, or the installation's."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import undefer

from app.core.config import get_settings
from app.core.db import db
from app.core.errors import Conflict, ValidationFailed
from app.messaging.models import MessageChannel, MessageSender, MessagingAccount
from app.messaging.providers.base import MessageProvider
from app.messaging.providers.registry import provider_for

NOT_SET_UP = "No account for messages is connected. An admin connects one in Settings, Messaging."
UNREADABLE_CODE = "unreadable_account"
UNREADABLE = (
    "The token of the Twilio account can no longer be read: the key it was kept under is gone. "
    "An admin enters it again in Settings, Messaging."
)


@dataclass(frozen=True)
class Account:
    """Credentials of an account; `is_own` when they are the tenant's."""

    sid: str
    token: str
    is_own: bool


@dataclass(frozen=True)
class Sender:
    """Where messages leave from. `id` is None for the installation's; `per_second` 0 is no limit of its own."""

    id: int | None
    channel: str
    address: str
    label: str
    per_second: float
    is_default: bool = False


def find_account() -> Account | None:
    """The acting tenant's account, else the installation's, else None; Conflict when its token cannot be read."""
    try:
        row = db.session.scalars(select(MessagingAccount).options(undefer(MessagingAccount.auth_token))).one_or_none()
    except ValueError:
        raise Conflict(UNREADABLE, code=UNREADABLE_CODE) from None
    if row is not None:
        return Account(row.account_sid, row.auth_token, is_own=True)
    settings = get_settings()
    if settings.twilio_account_sid and settings.twilio_auth_token:
        return Account(settings.twilio_account_sid, settings.twilio_auth_token, is_own=False)
    return None


def provider() -> MessageProvider:
    """A client of the acting tenant's account; Conflict when there is none."""
    account = find_account()
    if account is None:
        raise Conflict(NOT_SET_UP, code="no_messaging_account")
    return provider_for(account.sid, account.token)


def list_senders(channel: str) -> list[Sender]:
    """The tenant's senders of a channel, the default first; the installation's when it has none."""
    rows = db.session.scalars(
        select(MessageSender)
        .where(MessageSender.channel == channel)
        .order_by(MessageSender.is_default.desc(), MessageSender.id)
    )
    own = [Sender(row.id, row.channel, row.address, row.label, row.rate_per_second, row.is_default) for row in rows]
    return own or _shared(channel)


def find_sender(channel: str, sender_id: int | None = None) -> Sender | None:
    """The named sender, or without a name the default one; None when there is none."""
    senders = list_senders(channel)
    if sender_id is None:
        return senders[0] if senders else None
    return next((one for one in senders if one.id == sender_id), None)


def get_sender(channel: str, sender_id: int | None = None) -> Sender:
    """Like find_sender; ValidationFailed when there is none."""
    found = find_sender(channel, sender_id)
    if found is None and sender_id is not None:
        raise ValidationFailed("sender_id: there is no such sender of this channel.", field="sender_id",
                               provided=sender_id, expected="the id of a sender, or null for the default")  # fmt: skip
    if found is None:
        what = "WhatsApp" if channel == MessageChannel.WHATSAPP else "SMS"
        raise ValidationFailed(f"There is no sender for {what} yet. An admin adds one in Settings, Messaging.",
                               field="sender_id")  # fmt: skip
    return found


def _shared(channel: str) -> list[Sender]:
    settings = get_settings()
    address = settings.twilio_whatsapp_sender if channel == MessageChannel.WHATSAPP else settings.twilio_sms_sender
    if not address:
        return []
    return [Sender(None, channel, address, "Shared sender of this installation", settings.twilio_sender_rate, True)]
