"""One provider for each account, made once per process, so that its connections are kept."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from app.core.config import Settings, get_settings
from app.messaging.providers.base import MessageProvider
from app.messaging.providers.twilio import API, CONTENT, MESSAGING, TwilioProvider

KEPT = 200
_kept: OrderedDict[tuple[str, ...], MessageProvider] = OrderedDict()
_lock = threading.Lock()


def provider_for(account_sid: str, auth_token: str) -> MessageProvider:
    """The provider of an account; another token or address makes another. Nothing is called yet."""
    settings = get_settings()
    bases = _bases(settings)
    fingerprint = hashlib.sha256(auth_token.encode()).hexdigest()
    key = (account_sid, fingerprint, str(settings.twilio_timeout_seconds), *bases.values())
    with _lock:
        found = _kept.get(key)
        if found is None:
            found = _kept[key] = TwilioProvider(account_sid, auth_token, bases, settings.twilio_timeout_seconds)
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
        return found


def _bases(settings: Settings) -> dict[str, str]:
    return {
        API: settings.twilio_base_url,
        CONTENT: settings.twilio_content_base_url,
        MESSAGING: settings.twilio_messaging_base_url,
    }
