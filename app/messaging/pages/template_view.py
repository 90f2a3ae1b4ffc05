"""What the pages of templates show: words for states, examples to begin with, money, and what differs between texts."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from decimal import Decimal

from app.core.formats import NBSP, SYMBOLS, WITHOUT_MINOR_UNITS, number
from app.messaging.models import Approval, MessageChannel

CHANNELS = {MessageChannel.SMS.value: "SMS", MessageChannel.WHATSAPP.value: "WhatsApp"}
APPROVALS: dict[str, tuple[str, str]] = {
    Approval.NOT_NEEDED: ("Ready", "ok"),
    Approval.UNSUBMITTED: ("Not submitted", "idle"),
    Approval.RECEIVED: ("Submitted", "live"),
    Approval.PENDING: ("In review", "live"),
    Approval.APPROVED: ("Approved", "ok"),
    Approval.REJECTED: ("Rejected", "bad"),
    Approval.PAUSED: ("Paused by WhatsApp", "warn"),
    Approval.DISABLED: ("Disabled by WhatsApp", "bad"),
}
CATEGORIES = [("MARKETING", "Marketing: offers and news"), ("UTILITY", "Utility: about an order or account"),
              ("AUTHENTICATION", "Authentication: codes")]  # fmt: skip
LANGUAGES = [
    ("en", "English"), ("en_GB", "English (UK)"), ("en_US", "English (US)"), ("de", "German"), ("es", "Spanish"),
    ("fr", "French"), ("it", "Italian"), ("nl", "Dutch"), ("pl", "Polish"), ("pt_BR", "Portuguese (Brazil)"),
    ("pt_PT", "Portuguese (Portugal)"), ("sv", "Swedish"), ("tr", "Turkish"),
]  # fmt: skip
_TOKENS = re.compile(r"\{[^{}]*\}|\w+|\s+|[^\w\s]")


@dataclass(frozen=True)
class Example:
    """A text to begin with."""

    key: str
    name: str
    channel: str
    content: str
    why: str


EXAMPLES = (
    Example("order", "Order confirmation", "sms",
            "Hi {first_name|there}, your order is confirmed. Thank you for choosing {company}!",
            "After a purchase: short, plain, one part."),
    Example("back", "We miss you", "sms",
            "{first_name|Hello}, it has been a while. Come back this week and delivery is on us: {company}. "
            "Reply STOP to opt out.",
            "To people who stopped buying, with the way out that marketing texts need."),
    Example("reminder", "Appointment reminder", "whatsapp",
            "Hello {first_name|there}, a reminder from {company}: we see you tomorrow. Reply here to change the time.",
            "On WhatsApp, where a text is approved before it is sent."),
)  # fmt: skip
BY_KEY = {one.key: one for one in EXAMPLES}


def price(micros: int, currency: str) -> str:
    """Millionths as money: `$12.40`, and below a unit as exactly as prices of messages are, `$0.0083`."""
    amount = Decimal(micros) / 1_000_000
    digits = 0 if currency in WITHOUT_MINOR_UNITS and amount >= 1 else 2
    while digits < 4 and 0 < amount < 1 and amount != round(amount, digits):
        digits += 1
    return f"{SYMBOLS.get(currency, f'{currency}{NBSP}')}{number(amount, digits)}"


def difference(before: str, after: str) -> list[tuple[str, str]]:
    """Runs of text, each `same`, `gone` or `new`, word by word; a variable is one word."""
    old, new = _TOKENS.findall(before), _TOKENS.findall(after)
    runs: list[tuple[str, str]] = []
    for what, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            runs.append(("same", "".join(new[c:d])))
            continue
        runs += [(kind, text) for kind, text in (("gone", "".join(old[a:b])), ("new", "".join(new[c:d]))) if text]
    return runs


def plain_error(message: str, field: str) -> str:
    """The message without the field it stands beside."""
    text = message.removeprefix(f"{field}: ")
    return text[:1].upper() + text[1:]
