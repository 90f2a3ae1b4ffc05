"""Our own name for a message in the address the provider calls back: signed, so that nobody can name another's."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from app.core.config import get_settings
from app.core.links import absolute

_LENGTH = 12


def reference(message_id: int) -> str:
    """`<id>.<mac>`."""
    return f"{message_id}.{_mac(message_id)}"


def read(text: str) -> int | None:
    """The message's id, or None for what we did not write."""
    number, _, mac = text.partition(".")
    if not number.isascii() or not number.isdecimal() or len(number) > 18:
        return None
    return int(number) if hmac.compare_digest(mac.encode(), _mac(int(number)).encode()) else None


def callback_url(message_id: int) -> str:
    """Where the provider tells how the message fares."""
    return absolute(f"/webhooks/status?ref={reference(message_id)}")


def public_id(message_id: int) -> str:
    """The id of a message as APIs show it: a UUID that stands for it and tells nothing of how many there are."""
    digest = hashlib.sha256(f"{get_settings().secret_key}:message:{message_id}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


def _mac(message_id: int) -> str:
    key = get_settings().secret_key.encode()
    return hmac.new(key, f"message:{message_id}".encode(), hashlib.sha256).hexdigest()[:_LENGTH]
