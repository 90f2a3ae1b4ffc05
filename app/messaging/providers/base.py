"""What a service that carries messages looks like from the inside of the product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class ErrorClass(StrEnum):
    """Why a message did not go or did not arrive; decides between waiting, mending, suppressing and giving up."""

    CREDENTIALS = "credentials"  # the account's key no longer works: reconnect
    CONFIGURATION = "configuration"  # the account or sender may not do this: change it there
    OPTED_OUT = "opted_out"  # this person said STOP
    BAD_NUMBER = "bad_number"  # nobody can be reached at this number
    BLOCKED = "blocked"  # the person or their carrier blocks the sender
    INVALID = "invalid"  # our request or the content is wrong; the same again cannot help
    RATE_LIMIT = "rate_limit"  # slower, with growing pauses
    QUEUE_FULL = "queue_full"  # the sender's queue holds hours of traffic: pause
    DAILY_LIMIT = "daily_limit"  # the account's day is used up
    NEEDS_TEMPLATE = "needs_template"  # WhatsApp outside the 24 h window takes approved templates only
    UNREACHABLE = "unreachable"  # phone off or out of range: later
    FILTERED = "filtered"  # the carrier took it for spam
    TRANSIENT = "transient"  # 5xx, network, time-out
    SUSPENDED = "suspended"  # the account is suspended: stop everything
    EXPIRED = "expired"  # not delivered within its validity
    UNKNOWN = "unknown"  # a code we do not know


@dataclass(frozen=True)
class Outgoing:
    """One message to hand over.

    `to` is E.164. `sender` is E.164, a short code, or the id of a messaging service (MG…). The text is `body`, or
    `content_sid` with `variables` for its placeholders.
    """

    channel: str  # sms, whatsapp
    to: str
    sender: str
    body: str = ""
    content_sid: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    media_urls: tuple[str, ...] = ()
    status_callback: str = ""
    validity_seconds: int | None = None


@dataclass(frozen=True)
class Submitted:
    """What the service said when it took a message; `price_micros` is millionths of `currency`, None when not known.

    `sent_at` is when the service made its row, by its own clock.
    """

    sid: str
    status: str
    segments: int
    price_micros: int | None
    currency: str
    sent_at: datetime


@dataclass(frozen=True)
class Found:
    """A message as the service has it. `to` and `sender` are bare, without the channel's prefix."""

    sid: str
    status: str
    error_code: int | None
    to: str
    sender: str
    body: str
    created_at: datetime
    segments: int


class SendFailed(Exception):
    """The service did not do as asked; `retry_after` is seconds, where it named them. `status` is that of its answer,
    None where there was none.

    `is_ambiguous`: it may have acted all the same (the connection was lost or timed out after the request had left, or
    the answer was a 5xx). Look with `find` before handing the message over again.
    """

    def __init__(
        self,
        error_class: ErrorClass,
        message: str,
        *,
        code: int | None = None,
        status: int | None = None,
        retry_after: float | None = None,
        is_ambiguous: bool = False,
    ):
        super().__init__(message)
        self.error_class = error_class
        self.message = message
        self.code = code
        self.status = status
        self.retry_after = retry_after
        self.is_ambiguous = is_ambiguous


class MessageProvider(Protocol):
    """A service that carries SMS and WhatsApp messages for one account.

    Each method raises SendFailed and nothing else. Implementations do not retry, and may be used by many threads.
    """

    @property
    def account(self) -> str:
        """The id of the account."""
        ...

    def send(self, message: Outgoing) -> Submitted:
        """Hand a message over. There is no idempotency key: after an ambiguous failure, `find` first."""
        ...

    def find(self, to: str, sender: str, channel: str, since: datetime) -> list[Found]:
        """Messages to this number created at or after `since`, newest first; all pages.

        A messaging service as the sender matches whichever of its numbers was used, an empty one every sender.
        """
        ...

    def create_content(self, name: str, language: str, body: str, variables: Mapping[str, str]) -> str:
        """Register a template text with numbered placeholders and an example of each; gives its id (HX…)."""
        ...

    def submit_content(self, sid: str, name: str, category: str) -> str:
        """Ask WhatsApp to approve a content; `category` is UTILITY, MARKETING or AUTHENTICATION; gives the status."""
        ...

    def content_status(self, sid: str) -> tuple[str, str]:
        """WhatsApp's verdict on a content, and its reason when it was rejected."""
        ...

    def verify(self) -> str:
        """The account's friendly name; raises when the credentials do not work."""
        ...
