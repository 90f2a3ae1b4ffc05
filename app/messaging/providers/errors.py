"""What the error codes of messaging mean and what each asks for, in HTTP answers and in status callbacks alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.messaging.providers.base import ErrorClass

MINUTE, HOUR, DAY = 60, 3600, 86400


class Reaction(StrEnum):
    """What we do about a failure, once its retries (if any) are used up."""

    RECONNECT = "reconnect"  # ask the tenant for working credentials
    CONFIGURE = "configure"  # tell the tenant what to change at the provider; the next message would fail too
    SUPPRESS = "suppress"  # never write to this person on this channel again
    MARK_NUMBER = "mark_number"  # the number is no good
    FIX = "fix"  # the content or request is wrong
    PAUSE = "pause"  # pause the campaign, its sender can take no more now
    STOP = "stop"  # stop everything of this account
    USE_TEMPLATE = "use_template"  # send as an approved template instead
    GIVE_UP = "give_up"  # this message failed, others may go


@dataclass(frozen=True)
class Remedy:
    """What a failure is and asks for. `retry_delays` are seconds before each further try; empty: never retry."""

    error_class: ErrorClass
    reaction: Reaction
    words: str  # for people, one sentence
    retry_delays: tuple[int, ...] = ()


_SOON = (2, 8, 30, 120, 300)  # for rate limits and hiccups; callers add jitter
_LATER = (15 * MINUTE, HOUR, 4 * HOUR)  # for a phone that is off

_E, _R = ErrorClass, Reaction

REMEDIES: dict[int, Remedy] = {
    # Answers to a request.
    20003: Remedy(_E.CREDENTIALS, _R.RECONNECT, "The account's credentials no longer work."),
    20005: Remedy(_E.SUSPENDED, _R.STOP, "The account is not active."),
    20404: Remedy(_E.INVALID, _R.GIVE_UP, "The provider does not know this resource."),
    20429: Remedy(_E.RATE_LIMIT, _R.PAUSE, "Too many requests at once.", _SOON),
    21211: Remedy(_E.BAD_NUMBER, _R.MARK_NUMBER, "This is not a valid phone number."),
    21212: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "The sender is not a valid number of this account."),
    21408: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "Sending to this country is not enabled for the account."),
    21602: Remedy(_E.INVALID, _R.FIX, "The message has no text."),
    21603: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "No sender is set."),
    21604: Remedy(_E.BAD_NUMBER, _R.MARK_NUMBER, "There is no number to send to."),
    21606: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "The sender cannot send this kind of message."),
    21608: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "A trial account writes to verified numbers only."),
    21609: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "The address for reports of delivery is not valid."),
    21610: Remedy(_E.OPTED_OUT, _R.SUPPRESS, "This person opted out."),
    21611: Remedy(_E.QUEUE_FULL, _R.PAUSE, "The sender's queue holds hours of traffic already.", (10 * MINUTE, HOUR)),
    21612: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "This sender cannot reach this number."),
    21614: Remedy(_E.BAD_NUMBER, _R.MARK_NUMBER, "This number cannot receive text messages."),
    21617: Remedy(_E.INVALID, _R.FIX, "The message is longer than 1,600 characters."),
    21620: Remedy(_E.INVALID, _R.FIX, "An address of a picture is not valid."),
    21623: Remedy(_E.INVALID, _R.FIX, "There are more pictures than the ten a message may have."),
    21635: Remedy(_E.BAD_NUMBER, _R.MARK_NUMBER, "This number is a landline."),
    21655: Remedy(_E.INVALID, _R.FIX, "The template's content is not known to the provider."),
    21656: Remedy(_E.INVALID, _R.FIX, "The template's variables are not what its content asks for."),
    21660: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "The sender does not belong to this account."),
    21701: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "The account has no such messaging service."),
    21703: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "The messaging service has no sender that could reach this number."),
    21910: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "Sender and recipient are not of the same channel."),
    35111: Remedy(_E.INVALID, _R.FIX, "A scheduled message needs a time to send."),
    35114: Remedy(_E.INVALID, _R.FIX, "The time to send is out of the range the provider takes."),
    35115: Remedy(_E.INVALID, _R.FIX, "The time to send is out of the range the provider takes."),
    # Reports on a message that was taken.
    30001: Remedy(_E.QUEUE_FULL, _R.GIVE_UP, "The message waited too long in the queue.", (10 * MINUTE, HOUR)),
    30002: Remedy(_E.SUSPENDED, _R.STOP, "The account was suspended."),
    30003: Remedy(_E.UNREACHABLE, _R.GIVE_UP, "The phone could not be reached.", _LATER),
    30004: Remedy(_E.BLOCKED, _R.SUPPRESS, "The person or their carrier blocks this sender."),
    30005: Remedy(_E.BAD_NUMBER, _R.MARK_NUMBER, "This number is unknown or no longer in use."),
    30006: Remedy(_E.BAD_NUMBER, _R.MARK_NUMBER, "This number is a landline or its carrier cannot be reached."),
    30007: Remedy(_E.FILTERED, _R.FIX, "The carrier filtered the message out; its content needs a look."),
    30008: Remedy(_E.UNKNOWN, _R.GIVE_UP, "Not delivered, for a reason the carrier did not name.", (15 * MINUTE,)),
    30034: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "The sender is not registered for messages to the US (A2P 10DLC)."),
    30036: Remedy(_E.EXPIRED, _R.GIVE_UP, "The message was not delivered within its validity."),
    63003: Remedy(_E.BAD_NUMBER, _R.MARK_NUMBER, "This number is not on WhatsApp."),
    63007: Remedy(_E.CONFIGURATION, _R.CONFIGURE, "The account has no such WhatsApp sender."),
    63016: Remedy(_E.NEEDS_TEMPLATE, _R.USE_TEMPLATE, "More than 24 hours since they wrote: a template is needed."),
    63017: Remedy(_E.RATE_LIMIT, _R.PAUSE, "WhatsApp's rate limit was reached.", _SOON),
    63018: Remedy(_E.RATE_LIMIT, _R.PAUSE, "WhatsApp's rate limit was reached.", _SOON),
    63021: Remedy(_E.INVALID, _R.FIX, "WhatsApp does not accept this content."),
    63024: Remedy(_E.BAD_NUMBER, _R.MARK_NUMBER, "This number cannot be written to on WhatsApp."),
    63038: Remedy(_E.DAILY_LIMIT, _R.PAUSE, "The account's daily limit is used up.", (DAY,)),
    63040: Remedy(_E.INVALID, _R.FIX, "WhatsApp rejected the template."),
    63041: Remedy(_E.INVALID, _R.FIX, "WhatsApp paused the template."),
    63042: Remedy(_E.INVALID, _R.FIX, "WhatsApp disabled the template."),
}  # fmt: skip
"""By the provider's code. Codes that are not here are UNKNOWN: the message failed, nothing else is concluded."""

_UNKNOWN = Remedy(_E.UNKNOWN, _R.GIVE_UP, "The provider gave a reason we do not know.")
_TRANSIENT = Remedy(_E.TRANSIENT, _R.GIVE_UP, "The provider could not be reached or stumbled.", _SOON)
_RATE_LIMITED = Remedy(_E.RATE_LIMIT, _R.PAUSE, "Too many requests at once.", _SOON)


def remedy_for(code: int | None, status: int | None = None) -> Remedy:
    """What a code asks for; without a known code, what the HTTP status alone says.

    With neither (the connection failed) it is transient.
    """
    if code is not None and code in REMEDIES:
        return REMEDIES[code]
    if status is not None:
        return _by_status(status)
    return _UNKNOWN if code is not None else _TRANSIENT


def classify(code: int | None, status: int | None = None) -> ErrorClass:
    """The class of a failure, by its code or else its HTTP status."""
    return remedy_for(code, status).error_class


def _by_status(status: int) -> Remedy:
    if status >= 500 or status == 408:
        return _TRANSIENT
    if status == 429:
        return _RATE_LIMITED
    if status in (401, 403):
        return REMEDIES[20003]
    return _UNKNOWN
