"""A message that came in, as the provider's parameters say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.messaging.models import MessageChannel
from app.messaging.services import keywords
from app.messaging.services.callbacks import Call

WHATSAPP_PREFIX = "whatsapp:"
MOST_MEDIA = 10


@dataclass(frozen=True)
class Incoming:
    """One message. `senders` are the number written to and the service it belongs to."""

    call: Call
    channel: str
    address: str
    sender: str
    senders: tuple[str, ...]
    body: str
    sid: str

    @property
    def is_answered_already(self) -> bool:
        """Whether the provider answers it: its own words on SMS, and whatever it has named as one."""
        is_own = self.channel == MessageChannel.SMS and keywords.is_providers_own(self.body)
        return is_own or bool(self.call.get("OptOutType").strip())

    @property
    def evidence(self) -> dict[str, Any]:
        """What proves a withdrawal later."""
        at = self.call.received_at.isoformat()
        return {"sid": self.sid, "body": self.body[:200], "sender": self.sender, "at": at}

    @property
    def media(self) -> list[dict[str, str]]:
        """Where pictures and files are; they are named and never fetched by us."""
        count = min(int(self.call.get("NumMedia") or 0) if self.call.get("NumMedia").isdecimal() else 0, MOST_MEDIA)
        found = [(self.call.get(f"MediaUrl{n}"), self.call.get(f"MediaContentType{n}")) for n in range(count)]
        return [{"url": url[:1000], "type": kind[:100]} for url, kind in found if url.startswith("https://")]


def read(call: Call) -> Incoming | None:
    """The message, or None for a channel we do not carry."""
    origin, target, channel = call.get("From"), call.get("To"), MessageChannel.SMS
    if origin.startswith(WHATSAPP_PREFIX):
        origin, target = origin.removeprefix(WHATSAPP_PREFIX), target.removeprefix(WHATSAPP_PREFIX)
        channel = MessageChannel.WHATSAPP
    sid = call.get("MessageSid") or call.get("SmsSid")
    if ":" in origin or not origin or not target or not sid:
        return None
    senders = tuple(one[:40] for one in (target, call.get("MessagingServiceSid")) if one)
    body = call.get("Body") or call.get("ButtonText")
    return Incoming(call, channel, origin[:20], target[:40], senders, body, sid[:40])
