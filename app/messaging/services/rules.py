"""What a tenant has decided about its messages: quiet hours, caps, prices, alarms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, select, type_coerce

from app.accounts.services import audit
from app.core.crypto import decrypt
from app.core.db import db
from app.core.errors import ValidationFailed
from app.messaging.models import MessageChannel, MessagingSettings
from app.messaging.services import quiet_hours
from app.messaging.services.quiet_hours import Window

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_CURRENCY = re.compile(r"[A-Z]{3}")
MOST_CAPS = 10
LONGEST_HELP = 1600


@dataclass(frozen=True)
class Cap:
    """At most `most` messages to a person on a channel in `days` days."""

    channel: str
    most: int
    days: int


@dataclass(frozen=True)
class Prices:
    """Micros of the currency for one SMS part and one WhatsApp message: what estimates are made with."""

    currency: str = "USD"
    sms: int = 8300
    whatsapp: int = 30000

    def of(self, channel: str) -> int:
        return self.whatsapp if channel == MessageChannel.WHATSAPP else self.sms


@dataclass(frozen=True)
class Rules:
    """The rules in force. Quiet hours are clock times in the recipient's own zone. A Slack webhook that cannot be read
    is None, and `slack_error` says so.
    """

    quiet_start: str = "21:00"
    quiet_end: str = "08:00"
    keeps_us_hours: bool = True
    caps: tuple[Cap, ...] = ()
    prices: Prices = Prices()
    alarm_percent: float = 20.0
    alarm_least: int = 50
    alarm_pauses: bool = False
    slack_url: str | None = None
    slack_error: str = ""
    help_text: str = ""


DEFAULTS = Rules()
UNREADABLE_WEBHOOK = (
    "The webhook can no longer be read: the key it was kept under is gone. Nothing is told in Slack until you enter it "
    "again."
)
_secret: Any = type_coerce(MessagingSettings.slack_url, Text)  # as it is kept, so that reading the row cannot fail


def load() -> Rules:
    """The acting tenant's rules."""
    found = db.session.execute(select(MessagingSettings, _secret)).one_or_none()
    if found is None:
        return DEFAULTS
    row, secret = found
    return Rules(
        row.quiet_start, row.quiet_end, row.keeps_us_hours, tuple(Cap(**cap) for cap in row.caps),
        Prices(**row.prices), row.alarm_percent, row.alarm_least, row.alarm_pauses, *_webhook(secret, row.slack_error),
        row.help_text,
    )  # fmt: skip


def _webhook(secret: str | None, error: str) -> tuple[str | None, str]:
    """The address in plain text and what is the matter with it."""
    if secret is None:
        return None, ""
    try:
        return decrypt(secret), error
    except ValueError:
        return None, UNREADABLE_WEBHOOK


def save(**values: Any) -> MessagingSettings:
    """Change what is given, named as in `MessagingSettings`; refuses clock times, caps and prices that cannot be."""
    row = _row(for_update=True)
    if row is None:
        row = MessagingSettings(caps=[], prices={})
        db.session.add(row)
        db.session.flush()
    start, end = values.get("quiet_start", row.quiet_start), values.get("quiet_end", row.quiet_end)
    check_quiet_hours(start, end, keeps_us_hours=values.get("keeps_us_hours", row.keeps_us_hours))
    if "caps" in values:
        values["caps"] = [vars(_cap(raw)) for raw in _list(values["caps"])]
    if "alarm_percent" in values or "alarm_least" in values:
        _check_alarm(values.get("alarm_percent", row.alarm_percent), values.get("alarm_least", row.alarm_least))
    if len(values.get("help_text", "")) > LONGEST_HELP:
        raise ValidationFailed(f"help_text: has at most {LONGEST_HELP:,} characters.", field="help_text")
    if "prices" in values:
        values["prices"] = vars(_prices(values["prices"]))
    shown = {name: value for name, value in values.items() if name != "slack_url"}  # the address is a secret
    before, after = audit.changed(row, shown)
    if "slack_url" in values and _take_webhook(row, values["slack_url"]):
        after = after | {"slack": "set" if values["slack_url"] else "removed"}
    if after:
        audit.record("messaging.rules_changed", row, before=before, after=after, label="Messaging rules")
    db.session.flush()
    return row


def _take_webhook(row: MessagingSettings, url: str | None) -> bool:
    """Keep another webhook, or none; whether that changes anything. In place of an unreadable one it always does."""
    secret = db.session.scalars(select(_secret).where(MessagingSettings.tenant_id == row.tenant_id)).one()
    kept, error = _webhook(secret, row.slack_error)
    if url == kept and error != UNREADABLE_WEBHOOK:
        return False
    row.slack_url, row.slack_error = url, ""
    return True


def check_quiet_hours(start: str, end: str, *, keeps_us_hours: bool) -> None:
    """Refuse what is no clock time, a beginning that is the end (is that never, or the whole day?), and hours that
    leave none for people in the US."""
    for field, value in (("quiet_hours_start", start), ("quiet_hours_end", end)):
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            raise ValidationFailed(
                f"{field}: must be a time such as 22:00.", field=field, provided=value, expected="HH:MM, 00:00 to 23:59"
            )
    if start == end:
        raise ValidationFailed(
            "quiet_hours_end: must differ from quiet_hours_start.",
            field="quiet_hours_end", provided=end, expected=f"a time other than {start}",
        )  # fmt: skip
    if keeps_us_hours and not quiet_hours.leaves_us_hours(Window.between(start, end)):
        raise ValidationFailed(
            "quiet_hours_end: people in the US are written to from 08:00 to 21:00 only, and these leave none of it.",
            field="quiet_hours_end", provided=f"{start} to {end}", expected="some of 08:00 to 21:00 that is not quiet",
        )  # fmt: skip


def _check_alarm(percent: float, least: int) -> None:
    if not 1 <= percent <= 100:
        raise ValidationFailed("alarm_percent: is from 1 to 100.", field="alarm_percent")
    if not 1 <= least <= 1_000_000:
        raise ValidationFailed("alarm_least: is from 1 to 1,000,000.", field="alarm_least")


def _row(*, for_update: bool = False) -> MessagingSettings | None:
    statement = select(MessagingSettings)
    return db.session.scalars(statement.with_for_update() if for_update else statement).one_or_none()


def _list(raw: Any) -> list[Any]:
    if not isinstance(raw, list) or len(raw) > MOST_CAPS:
        raise ValidationFailed(f"caps: must be a list of at most {MOST_CAPS}.", field="caps")
    return raw


def _cap(raw: Any) -> Cap:
    try:
        cap = Cap(str(raw["channel"]), int(raw["most"]), int(raw["days"]))
    except (TypeError, KeyError, ValueError):
        raise ValidationFailed("caps: each needs channel, most and days.", field="caps") from None
    if cap.channel not in set(MessageChannel) or not 1 <= cap.most <= 1000 or not 1 <= cap.days <= 365:
        raise ValidationFailed("caps: 1 to 1,000 messages in 1 to 365 days, by sms or whatsapp.", field="caps")
    return cap


def _prices(raw: Any) -> Prices:
    try:
        prices = Prices(str(raw["currency"]).upper(), int(raw["sms"]), int(raw["whatsapp"]))
    except (TypeError, KeyError, ValueError):
        raise ValidationFailed("prices: currency, sms and whatsapp are needed.", field="prices") from None
    dear = max(prices.sms, prices.whatsapp) > 100_000_000 or min(prices.sms, prices.whatsapp) < 0
    if dear or not _CURRENCY.fullmatch(prices.currency):
        raise ValidationFailed("prices: a currency such as EUR, and micros from 0 to 100,000,000.", field="prices")
    return prices
