"""What states, reasons and errors of messages are called for people, and what follows from each."""

from __future__ import annotations

from dataclasses import dataclass

from app.messaging.models import CampaignState, MessageState, Skip
from app.messaging.providers.base import ErrorClass
from app.messaging.providers.errors import Reaction, remedy_for

CAMPAIGN_STATES: dict[str, tuple[str, str]] = {
    CampaignState.DRAFT: ("Draft", "idle"),
    CampaignState.SCHEDULED: ("Scheduled", "idle"),
    CampaignState.RUNNING: ("Sending", "live"),
    CampaignState.PAUSED: ("Paused", "warn"),
    CampaignState.COMPLETED: ("Finished", "ok"),
    CampaignState.CANCELLED: ("Cancelled", "idle"),
    CampaignState.FAILED: ("Could not start", "bad"),
}
MESSAGE_STATES: dict[str, tuple[str, str]] = {
    MessageState.PENDING: ("Waiting", "idle"),
    MessageState.CLAIMED: ("Leaving now", "live"),
    MessageState.UNKNOWN: ("Being looked up", "warn"),
    MessageState.QUEUED: ("On the way", "live"),
    MessageState.SENT: ("On the way", "live"),
    MessageState.DELIVERED: ("Delivered", "ok"),
    MessageState.READ: ("Read", "ok"),
    MessageState.UNDELIVERED: ("Not delivered", "bad"),
    MessageState.FAILED: ("Failed", "bad"),
    MessageState.SKIPPED: ("Skipped", "idle"),
    MessageState.CANCELLED: ("Cancelled", "idle"),
}


@dataclass(frozen=True)
class Words:
    """A reason in a few words, and what follows from it."""

    label: str
    follows: str


SKIPS: dict[str, Words] = {
    Skip.NO_PHONE: Words("No phone number", "Nothing to write to. A number added later counts for the next campaign."),
    Skip.STOP: Words("Said STOP", "Nobody writes to them again until they send START, or agree anew."),
    Skip.NO_CONSENT: Words("Has not agreed", "They said no or were never asked on this channel. Ask them first."),
    Skip.BAD_NUMBER: Words("Number cannot be reached", "The provider refused it before. It is marked for good."),
    Skip.CAP_REACHED: Words("Had enough messages already", "They may be written to again when their days are over."),
    Skip.HOLDOUT: Words("Held out", "Kept back on purpose, to measure what the campaign changes."),
    Skip.DUPLICATE_NUMBER: Words("Same number as somebody else", "The number gets the message once."),
    Skip.DUPLICATE_PERSON: Words("Same person, merged since", "They get the message once."),
    Skip.MISSING_VARIABLE: Words("A value is missing", "Give the text words for who has none, or fill the trait."),
    Skip.GONE: Words("No longer there", "They were erased or merged after the segment was counted."),
    Skip.QUIET_HOURS: Words("Held until morning", "They are written to when the night is over where they are."),
}
ERRORS: dict[str, str] = {
    ErrorClass.CREDENTIALS: "The account is not accepted",
    ErrorClass.CONFIGURATION: "The account or sender may not do this",
    ErrorClass.OPTED_OUT: "Opted out at the carrier",
    ErrorClass.BAD_NUMBER: "Number is no good",
    ErrorClass.BLOCKED: "Blocks this sender",
    ErrorClass.INVALID: "Content not accepted",
    ErrorClass.RATE_LIMIT: "Too many at once",
    ErrorClass.QUEUE_FULL: "The sender's queue was full",
    ErrorClass.DAILY_LIMIT: "The account's day is used up",
    ErrorClass.NEEDS_TEMPLATE: "An approved template is needed",
    ErrorClass.UNREACHABLE: "Phone off or out of reach",
    ErrorClass.FILTERED: "Held back by the carrier",
    ErrorClass.TRANSIENT: "The provider stumbled",
    ErrorClass.SUSPENDED: "The account is suspended",
    ErrorClass.EXPIRED: "Not delivered in time",
    ErrorClass.UNKNOWN: "For a reason nobody named",
}
FOLLOWS: dict[Reaction, str] = {
    Reaction.RECONNECT: "Enter working credentials in Settings, Messaging.",
    Reaction.CONFIGURE: "Change it at the provider, then resume.",
    Reaction.SUPPRESS: "Their consent is withdrawn; nobody writes to them again.",
    Reaction.MARK_NUMBER: "The number is marked; it is not tried again.",
    Reaction.FIX: "Change the text, then write to them in another campaign.",
    Reaction.PAUSE: "The campaign pauses; resume it when the sender is free.",
    Reaction.STOP: "Everything of this account stops until it is active again.",
    Reaction.USE_TEMPLATE: "Use an approved WhatsApp template.",
    Reaction.GIVE_UP: "It was tried as often as makes sense. Others are not concerned.",
}
_REACTIONS: dict[str, Reaction] = {
    ErrorClass.CREDENTIALS: Reaction.RECONNECT, ErrorClass.CONFIGURATION: Reaction.CONFIGURE,
    ErrorClass.OPTED_OUT: Reaction.SUPPRESS, ErrorClass.BLOCKED: Reaction.SUPPRESS,
    ErrorClass.BAD_NUMBER: Reaction.MARK_NUMBER, ErrorClass.INVALID: Reaction.FIX, ErrorClass.FILTERED: Reaction.FIX,
    ErrorClass.RATE_LIMIT: Reaction.PAUSE, ErrorClass.QUEUE_FULL: Reaction.PAUSE,
    ErrorClass.DAILY_LIMIT: Reaction.PAUSE, ErrorClass.SUSPENDED: Reaction.STOP,
    ErrorClass.NEEDS_TEMPLATE: Reaction.USE_TEMPLATE,
}  # fmt: skip


def of_skip(reason: str) -> Words:
    """Why somebody is not written to, and what follows."""
    return SKIPS.get(reason) or Words(reason.replace("_", " ").capitalize() or "Skipped", "")


def of_failure(reason: str) -> Words:
    """Why messages failed, by the class of the error, and what follows."""
    label = ERRORS.get(reason) or reason.replace("_", " ").capitalize() or ERRORS[ErrorClass.UNKNOWN]
    return Words(label, FOLLOWS[_REACTIONS.get(reason, Reaction.GIVE_UP)])


def of_code(code: int) -> Words:
    """What the provider's code says, and what follows."""
    remedy = remedy_for(code)
    return Words(remedy.words, FOLLOWS[remedy.reaction])


def of_message(state: str, reason: str) -> tuple[str, str]:
    """A message's state in a few words and its colour: `Skipped: said STOP`."""
    word, kind = MESSAGE_STATES[state]
    if state == MessageState.SKIPPED and reason:
        return f"{word}: {_small(of_skip(reason).label)}", kind
    if state == MessageState.PENDING and reason == Skip.QUIET_HOURS:
        return SKIPS[Skip.QUIET_HOURS].label, kind
    if state in (MessageState.FAILED, MessageState.UNDELIVERED) and reason:
        return f"{word}: {_small(of_failure(reason).label)}", kind
    return word, kind


def _small(label: str) -> str:
    return label[:1].lower() + label[1:]
