"""What Twilio asks of a request to send a message, in the order it asks."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from werkzeug.datastructures import MultiDict

from app.sandbox import frame
from app.sandbox.services import twilio_segments
from app.sandbox.services.twilio_account import Account, now
from app.sandbox.services.twilio_content import placeholders, rendered
from app.sandbox.services.twilio_errors import Refused

E164 = re.compile(r"\+[1-9]\d{6,14}$")
FROM = re.compile(r"(\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11})$")
LONGEST_BODY, MOST_MEDIA = 1600, 10
SOONEST_SECONDS, LATEST_SECONDS = 300, 35 * 86400
MAGIC_TO = {"01": 21211, "02": 21612, "03": 21408, "04": 21610, "09": 21614}
MAGIC_FROM = {"01": 21212, "07": 21606, "08": 21611}
MAGIC = "+150055500"
ACTIONS = {"queue_full": 21611, "daily_limit": 63038, "channel_limit": 63018, "suspended": 20005}


@dataclass(frozen=True)
class Draft:
    """A request that passed. `to` and `sender` bear the channel's prefix."""

    to: str
    sender: str
    service_sid: str
    body: str
    content_sid: str
    media: int
    callback_url: str
    send_at: float | None

    @property
    def channel(self) -> str:
        return "whatsapp" if self.to.startswith("whatsapp:") else "sms"

    @property
    def segments(self) -> int:
        """Parts as carriers count them; WhatsApp and pictures are sent whole."""
        return 1 if self.media or self.channel == "whatsapp" else twilio_segments.count(self.body)


def read(form: MultiDict[str, str], account: Account) -> Draft:
    """The request as it will be carried out, or Twilio's refusal."""
    to = _to(form)
    service_sid, sender = _sender(form, to, account)
    fault = frame.current_fault()
    if fault and fault.action in ACTIONS:
        raise Refused(ACTIONS[fault.action])
    media = _media(form)
    body, content_sid = _text(form, account, media)
    if {(sender, to), (service_sid, to)} & account.opted_out:
        raise Refused(21610)
    callback_url = _callback_url(form) or str(account.services.get(service_sid, {}).get("StatusCallback", ""))
    check_validity(form)
    return Draft(to, sender, service_sid, body, content_sid, media, callback_url, _send_at(form, service_sid))


def _to(form: Mapping[str, str]) -> str:
    to = form.get("To", "")
    if not to:
        raise Refused(21604)
    if not E164.match(to.removeprefix("whatsapp:")):
        raise Refused(21211, to=to)
    if to.startswith(MAGIC) and to[len(MAGIC) :] in MAGIC_TO:
        raise Refused(MAGIC_TO[to[len(MAGIC) :]], to=to, sender=form.get("From", ""))
    return to


def _sender(form: Mapping[str, str], to: str, account: Account) -> tuple[str, str]:
    """(messaging service, sender); a service picks the same sender for the same number each time."""
    said, service_sid = form.get("From", ""), form.get("MessagingServiceSid", "")
    if service_sid and service_sid not in account.services:
        raise Refused(21701)
    if not said and not service_sid:
        raise Refused(21603)
    return service_sid, _checked_sender(said, to, account) if said else _picked_sender(to, account)


def _checked_sender(said: str, to: str, account: Account) -> str:
    if not FROM.match(said.removeprefix("whatsapp:")):
        raise Refused(21212, sender=said)
    if said.startswith("whatsapp:") != to.startswith("whatsapp:"):
        raise Refused(21910)
    if said.startswith(MAGIC) and said[len(MAGIC) :] in MAGIC_FROM:
        raise Refused(MAGIC_FROM[said[len(MAGIC) :]], sender=said)
    if said not in account.settings.senders:
        raise Refused(63007 if said.startswith("whatsapp:") else 21606, sender=said)
    return said


def _picked_sender(to: str, account: Account) -> str:
    is_whatsapp = to.startswith("whatsapp:")
    fit = [one for one in account.settings.senders if one.startswith("whatsapp:") == is_whatsapp and one[-2:] != "08"]
    if not fit:
        raise Refused(21606, sender="of the Messaging Service")
    return fit[zlib.crc32(to.encode()) % len(fit)]


def _media(form: MultiDict[str, str]) -> int:
    urls = form.getlist("MediaUrl")
    if len(urls) > MOST_MEDIA:
        raise Refused(21623)
    if any(not _is_url(url) for url in urls):
        raise Refused(21620)
    return len(urls)


def _text(form: Mapping[str, str], account: Account, media: int) -> tuple[str, str]:
    """(text, content): a content is written out with its variables."""
    body, content_sid = form.get("Body", ""), form.get("ContentSid", "")
    if content_sid:
        content = account.contents.get(content_sid)
        if content is None:
            raise Refused(21655)
        return rendered(content, _variables(form.get("ContentVariables", ""), content)), content_sid
    if not body.strip() and not media:
        raise Refused(21602)
    if form.get("SmartEncoded", "").lower() == "true":
        body = twilio_segments.smart(body)
    if len(body) > LONGEST_BODY:
        raise Refused(21617)
    return body, ""


def _variables(text: str, content: dict[str, object]) -> dict[str, str]:
    """Just the content's placeholders, each with a text; left out altogether, the content's examples stand in."""
    if not text:
        return {}
    try:
        values = json.loads(text)
    except ValueError:
        raise Refused(21656) from None
    if not isinstance(values, dict) or set(values) != placeholders(content):
        raise Refused(21656)
    if any(not isinstance(value, str) or not value.strip() or "\n" in value for value in values.values()):
        raise Refused(21656)
    return values


def _callback_url(form: Mapping[str, str]) -> str:
    url = form.get("StatusCallback", "")
    if url and not _is_url(url):
        raise Refused(21609)
    return url


def check_validity(form: Mapping[str, str]) -> None:
    period = form.get("ValidityPeriod", "")
    if period and not (period.isdigit() and 1 <= int(period) <= 36000):
        raise Refused(20001, "ValidityPeriod must be between 1 and 36000 seconds")


def _send_at(form: Mapping[str, str], service_sid: str) -> float | None:
    """When a scheduled message goes; None for one that goes at once."""
    kind, text = form.get("ScheduleType", ""), form.get("SendAt", "")
    if not kind:
        return None
    if kind != "fixed" or not text:
        raise Refused(35111)
    if not service_sid:
        raise Refused(35118)
    try:
        at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        raise Refused(35114, "SendAt timestamp must be in ISO-8601 format") from None
    if at - now() <= SOONEST_SECONDS:
        raise Refused(35114)
    if at - now() > LATEST_SECONDS:
        raise Refused(35115)
    return at


def _is_url(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.netloc)
