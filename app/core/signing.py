"""Signed, dated payloads for links: what is read back is what we wrote, for one purpose and for a while."""

from __future__ import annotations

import hashlib
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from app.core.config import get_settings


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeTimedSerializer(get_settings().secret_key, salt=f"parley.{purpose}", signer_kwargs=options)


def sign(purpose: str, payload: Any) -> str:
    """A URL-safe token of a JSON payload. Signed, not encrypted: whoever holds it can read it."""
    text = _serializer(purpose).dumps(payload)
    return text if isinstance(text, str) else text.decode()


def unsign(purpose: str, token: str, max_age_seconds: int) -> Any:
    """What `sign` was given, or None when the token is forged, older than that, or made for another purpose."""
    try:
        return _serializer(purpose).loads(token, max_age=max_age_seconds)
    except BadData:
        return None
