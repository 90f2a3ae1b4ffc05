"""People who write to us: what Twilio makes of their words, and its call to our webhook."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from app.sandbox import frame
from app.sandbox.services import twilio_segments
from app.sandbox.services.twilio_account import ACCOUNT_SID, Account, account, now
from app.sandbox.services.twilio_ledger import Message

STOP_WORDS = frozenset("STOP STOPALL UNSUBSCRIBE END QUIT CANCEL REVOKE OPTOUT".split())
START_WORDS = frozenset("START YES UNSTOP".split())
HELP_WORDS = frozenset("HELP INFO".split())
OWN_REPLIES = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe. Msg & data rates may apply.",
}
COUNTRIES = {"+1": "US", "+44": "GB", "+49": "DE", "+33": "FR", "+34": "ES", "+39": "IT", "+31": "NL", "+91": "IN"}
REPLY = re.compile(r"<Message[^>]*>(.*?)</Message>", re.DOTALL)


@dataclass(frozen=True)
class Written:
    """What somebody wrote; numbers are bare. `extra` goes to the webhook as it stands."""

    person: str
    sender: str
    body: str
    channel: str = "sms"
    service_sid: str = ""
    media_urls: tuple[str, ...] = ()
    profile_name: str = "Sandbox person"
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def prefix(self) -> str:
        return "whatsapp:" if self.channel == "whatsapp" else ""


def keyword(body: str) -> str:
    """STOP, START or HELP when the whole text is one of their words, else empty."""
    word = body.strip().upper()
    for name, words in (("STOP", STOP_WORDS), ("START", START_WORDS), ("HELP", HELP_WORDS)):
        if word in words:
            return name
    return ""


def receive(written: Written) -> dict[str, Any]:
    """Do with it what Twilio does, call the webhook, and tell what it answered."""
    kept = account()
    person, sender = written.prefix + written.person, written.prefix + written.sender
    service_sid = written.service_sid or _last_service(person, kept)
    word = keyword(written.body)
    if written.channel == "whatsapp":
        kept.windows[(sender, person)] = now()
    else:
        _heed(word, {(sender, person), *((sid, person) for sid in kept.services)}, kept)
    message = _message(written, person, sender, service_sid)
    kept.ledger.add(message)
    url = _address(service_sid, kept)
    params = _params(written, message, word if service_sid in kept.settings.advanced_opt_out else "")
    return _called(written, message, url, params, OWN_REPLIES.get(word, "") if written.channel == "sms" else "")


def _heed(word: str, pairs: set[tuple[str, str]], kept: Account) -> None:
    """STOP bars this sender and the services it belongs to from the number; START lets them again."""
    if word == "STOP":
        kept.opted_out |= pairs
    elif word == "START":
        kept.opted_out -= pairs


def _called(written: Written, message: Message, url: str, params: dict[str, str], own_reply: str) -> dict[str, Any]:
    kept = account()
    fault = frame.current_fault()
    is_forged = bool(fault and fault.action == "callbacks_wrong_signature")
    answer = kept.courier.post(url, params, is_forged=is_forged) if url else None
    told = {
        "sid": message.sid, "from": message.sender, "to": message.to, "body": written.body, "url": url,
        "status": answer.status if answer else 0,
        "answer": answer.text if answer else "No address of a webhook is known.",
        "replies": [unescape(text) for text in REPLY.findall(answer.text)] if answer else [],
        "twilio_reply": own_reply,
    }  # fmt: skip
    kept.inbound.appendleft(told)
    return told


def _last_service(person: str, kept: Account) -> str:
    """The messaging service that wrote to this person last."""
    sent = (row for row in kept.ledger.newest_first(person) if not row.is_inbound)
    return next((row.service_sid for row in sent), "")


def _message(written: Written, person: str, sender: str, service_sid: str) -> Message:
    media = len(written.media_urls)
    return Message(
        sid=("MM" if media else "SM") + os.urandom(16).hex(),
        to=sender,
        sender=person,
        service_sid=service_sid,
        body=written.body,
        segments=1 if written.prefix or media else twilio_segments.count(written.body),
        media=media,
        created_at=now(),
        starts_at=now(),
        step_seconds=0.0,
        outcome="received",
        is_inbound=True,
    )


def _address(service_sid: str, kept: Account) -> str:
    """The service's own address, else the number's, else the product's usual one."""
    service = kept.services.get(service_sid, {})
    if service.get("InboundRequestUrl") and service.get("UseInboundWebhookOnNumber", "").lower() != "true":
        return str(service["InboundRequestUrl"])
    usual = frame.sandbox().callback_url.rstrip("/")
    return kept.settings.inbound_url or (f"{usual}/webhooks/inbound" if usual else "")


def _params(written: Written, message: Message, opt_out_type: str) -> dict[str, str]:
    params = {
        "MessageSid": message.sid, "SmsSid": message.sid, "SmsMessageSid": message.sid, "AccountSid": ACCOUNT_SID,
        "From": message.sender, "To": message.to, "Body": written.body, "NumMedia": str(message.media),
        "NumSegments": str(message.segments), "SmsStatus": "received", "ApiVersion": "2010-04-01",
    }  # fmt: skip
    if message.service_sid:
        params["MessagingServiceSid"] = message.service_sid
    for number, url in enumerate(written.media_urls):
        params |= {f"MediaUrl{number}": url, f"MediaContentType{number}": "image/jpeg"}
    if written.prefix:
        params |= {"ProfileName": written.profile_name, "WaId": written.person.lstrip("+"), "MessageType": "text"}
    else:
        params |= _places("From", written.person) | _places("To", written.sender)
    if opt_out_type:
        params["OptOutType"] = opt_out_type
    return params | dict(written.extra)


def _places(side: str, number: str) -> dict[str, str]:
    country = next((code for prefix, code in COUNTRIES.items() if number.startswith(prefix)), "")
    return {f"{side}City": "", f"{side}State": "", f"{side}Zip": "", f"{side}Country": country}
