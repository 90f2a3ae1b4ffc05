"""Our providers against the sandbox, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.messaging.providers import registry
from app.messaging.providers.base import MessageProvider, Outgoing, SendFailed

ACCOUNT, TOKEN = "AC" + "5a4db0c5" * 4, "7e575a4db0c57e575a4db0c57e575a4d"
SERVICE = "MG" + "5a4db0c5" * 4


@pytest.fixture
def at(settings_override) -> Callable[..., MessageProvider]:
    """A provider at another address, with another token or patience."""

    def make(url: str, token: str = TOKEN, account: str = ACCOUNT, seconds: float = 10.0) -> MessageProvider:
        settings_override(
            twilio_base_url=f"{url}/twilio",
            twilio_content_base_url=f"{url}/twilio/content",
            twilio_messaging_base_url=f"{url}/twilio/messaging",
            twilio_timeout_seconds=seconds,
        )
        return registry.provider_for(account, token)

    return make


@pytest.fixture
def provider(at, sandbox) -> MessageProvider:
    """The sandbox's account; what it is sent is delivered at once in virtual time, and nobody is called."""
    sandbox.control.twilio(callbacks=False, outcomes={"delivered": 1})
    return at(sandbox.url)


@pytest.fixture
def sms() -> Callable[..., Outgoing]:
    """A message that needs only what is changed."""
    return lambda **more: replace(Outgoing("sms", "+14155550101", "+15005550006", "Hello"), **more)


@pytest.fixture
def failure() -> Callable[..., SendFailed]:
    """What a call fails with."""

    def catch(call: Callable[[], object]) -> SendFailed:
        with pytest.raises(SendFailed) as caught:
            call()
        return caught.value

    return catch
