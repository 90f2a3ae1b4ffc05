"""Links in messages: each reader gets their own short, signed one, which leads to an address of the campaign's and
nowhere else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from app.core.config import get_settings
from app.core.db import db
from app.core.links import absolute
from app.messaging.models import MessageChannel, TrackedLink
from app.messaging.services.template_rules import MOST_CHARACTERS

URL = re.compile(r"https?://[^\s<>\"{}|\\^`]+", re.IGNORECASE)
MOST = 50
_MAC = 6
_ID = 5  # bytes: a token has 16 characters, whatever the message's number
_TRAILING = ".,;:!?)]'’”"


@dataclass(frozen=True)
class LinkSet:
    """A campaign's addresses and their places."""

    places: dict[str, int]

    @classmethod
    def of(cls, contents: Iterable[str]) -> LinkSet:
        """Of texts whose campaign is not kept yet: the places its addresses will have."""
        urls = dict.fromkeys(one for text in contents for one in find_urls(text))
        return cls({url: place for place, url in enumerate(list(urls)[:MOST])})

    def rewrite(self, text: str, message_id: int) -> str:
        """The text with every known address as the reader's own short one; others stay as they are, and all do where
        the text would become too long to be sent."""
        tracked = self.tracked(text, message_id)
        return tracked if len(tracked) <= max(len(text), MOST_CHARACTERS[MessageChannel.SMS]) else text

    def tracked(self, text: str, message_id: int = 0) -> str:
        """The text with short addresses, however long; everyone's are of one length, so any number serves to count."""
        if not self.places or "://" not in text:
            return text
        return URL.sub(lambda found: self._short(found[0], message_id), text)

    def _short(self, found: str, message_id: int) -> str:
        url = found.rstrip(_TRAILING)
        place = self.places.get(url)
        return found if place is None else short_url(message_id, place) + found[len(url) :]


def prepare(campaign_id: int, texts: Iterable[str]) -> None:
    """Note the addresses in a campaign's texts, in the current unit of work; again changes nothing.

    An address with a variable in it is another for everyone, and is sent as it is.
    """
    known = {row.url for row in _rows(campaign_id)}
    place = len(known)
    for url in dict.fromkeys(one for text in texts for one in find_urls(text)):
        if url not in known and place < MOST:
            db.session.add(TrackedLink(campaign_id=campaign_id, position=place, url=url))
            place += 1
    db.session.flush()


def find_urls(text: str) -> list[str]:
    """The whole addresses in a text, without the punctuation behind them, in their order."""
    found = []
    for match in URL.finditer(text):
        is_whole = match.end() == len(text) or text[match.end()] != "{"
        if is_whole:
            found.append(match[0].rstrip(_TRAILING))
    return list(dict.fromkeys(found))


def load(campaign_id: int) -> LinkSet:
    """The campaign's links."""
    return LinkSet({row.url: row.position for row in _rows(campaign_id)})


def short_url(message_id: int, place: int) -> str:
    """The address this reader gets for the link at a place."""
    return absolute(f"/l/{token(message_id, place)}")


def token(message_id: int, place: int) -> str:
    """Message and place, signed."""
    body = message_id.to_bytes(max(_ID, (message_id.bit_length() + 7) // 8), "big") + bytes([place])
    return base64.urlsafe_b64encode(body + _mac(body)).rstrip(b"=").decode()


def read(text: str) -> tuple[int, int] | None:
    """Message id and place of a token, or None for what we did not write."""
    try:
        raw = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)) if len(text) <= 40 else b""
    except ValueError:
        return None
    body, mac = raw[:-_MAC], raw[-_MAC:]
    if len(body) < 2 or not hmac.compare_digest(mac, _mac(body)):
        return None
    return int.from_bytes(body[:-1], "big"), body[-1]


def _mac(body: bytes) -> bytes:
    return hmac.new(get_settings().secret_key.encode(), b"link:" + body, hashlib.sha256).digest()[:_MAC]


def _rows(campaign_id: int) -> list[TrackedLink]:
    statement = select(TrackedLink).where(TrackedLink.campaign_id == campaign_id)
    return list(db.session.scalars(statement.order_by(TrackedLink.position)))
