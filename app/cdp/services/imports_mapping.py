"""Which column of a file is what: suggested, checked, applied to a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from app.cdp.models import Channel, ImportKind
from app.cdp.services.identity_values import SYSTEM
from app.core.errors import ValidationFailed

PLAIN = ("event_name", "timestamp", "message_id", "user_id", "anonymous_id", "email", "phone", "consented_at")
NESTED = ("traits", "properties", "context", "external_ids", "consent")
IDENTITIES = ("user_id", "anonymous_id", "email", "phone")
WORDS = {
    "event": "event_name", "event_type": "event_name", "date": "timestamp", "time": "timestamp", "at": "timestamp",
    "created_at": "timestamp", "occurred_at": "timestamp", "e_mail": "email", "email_address": "email", "mail": "email",
    "mobile": "phone", "phone_number": "phone", "telephone": "phone", "cell": "phone", "id": "user_id",
    "customer_id": "user_id", "userid": "user_id", "client_id": "anonymous_id", "device_id": "anonymous_id",
}  # fmt: skip
OF_EVENTS = ("event_name", "timestamp", "message_id")
OF_PEOPLE = ("consented_at",)
_CHANNEL = r"(?P<channel>sms|text|whatsapp|e_?mail)"
_AGREED = r"(consent|consents|opt_?in|opted_in|subscribed|permission|marketing|consent_state|consent_status)"
_CONSENT = re.compile(
    f"(accepts_)?{_CHANNEL}(_marketing)?_{_AGREED}|accepts_{_CHANNEL.replace('channel', 'asked')}(_marketing)?"
    f"|{_AGREED}_{_CHANNEL.replace('channel', 'named')}"
)
NAMES = {"name", "full_name", "first_name", "last_name"}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?")
Apply = Callable[[dict[str, Any]], dict[str, Any]]


def suggest(columns: list[str], kind: str) -> dict[str, str]:
    """A first guess by the names of the columns; what means nothing to us becomes a trait or a property."""
    found: dict[str, str] = {}
    for column in columns:
        if not column:
            continue
        word = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
        target = _guess(word, kind)
        if not target or target in found.values():
            place = "properties" if kind == ImportKind.EVENTS and word not in NAMES else "traits"
            target = f"{place}.{word if word in NAMES else column[:90]}"
        found[column] = target
    return found


def _guess(word: str, kind: str) -> str:
    """What a column of this name usually is; a column that says who opted *out* is for a person to decide."""
    target = word if word in PLAIN else WORDS.get(word, "")
    if kind != ImportKind.PEOPLE:
        return "" if target in OF_PEOPLE else target
    said = _CONSENT.fullmatch(word)
    if said:
        named = next(one for one in said.group("channel", "asked", "named") if one)
        return f"consent.{ {'text': 'sms', 'e_mail': 'email'}.get(named, named) }"
    return "" if target in OF_EVENTS else target


def check(mapping: dict[str, str], columns: list[str], kind: str) -> None:
    """Refuse a mapping that names no such column, no such target, a target twice, or leaves out who or what."""
    targets = [target for target in mapping.values() if target]
    for column, target in mapping.items():
        if column not in columns:
            raise ValidationFailed(f"mapping: there is no column {column!r}.", field="mapping")
        if target.startswith("external_ids.") and not _is_target(target):
            raise ValidationFailed(
                f"mapping: {column!r} needs the other system's name: 1 to 40 small letters, digits, dots or dashes.",
                field="mapping",
            )
        if target and not _is_target(target):
            raise ValidationFailed(f"mapping: {target!r} is nothing a column can be.", field="mapping")
    if len(set(targets)) < len(targets):
        raise ValidationFailed("mapping: two columns go to one place.", field="mapping")
    if not any(target in IDENTITIES or target.startswith("external_ids.") for target in targets):
        raise ValidationFailed("mapping: a column must say who it is: an id, e-mail or phone.", field="mapping")
    if kind == ImportKind.EVENTS and any(one in OF_PEOPLE or one.startswith("consent.") for one in targets):
        raise ValidationFailed("mapping: consent comes in with people, not with events.", field="mapping")
    if "consented_at" in targets and not any(target.startswith("consent.") for target in targets):
        raise ValidationFailed(
            "mapping: there is a time of consent, and no column that says what was agreed to.", field="mapping"
        )
    if kind == ImportKind.EVENTS and "event_name" not in targets:
        raise ValidationFailed("mapping: a column must hold the event's name.", field="mapping")


def _is_target(target: str) -> bool:
    place, _, name = target.partition(".")
    if place == "external_ids":
        return bool(SYSTEM.fullmatch(name))
    if place == "consent":
        return name in set(Channel)
    return target in PLAIN or (place in NESTED and 0 < len(name) <= 100)


def applied(mapping: dict[str, str], *, reads_numbers: bool) -> Apply:
    """A function from a row's values to an event. `reads_numbers`: texts that are numbers or yes/no become such."""
    plain = [(column, target) for column, target in mapping.items() if target in PLAIN]
    nested = [(column, *target.split(".", 1)) for column, target in mapping.items() if target and target not in PLAIN]

    def apply(values: dict[str, Any]) -> dict[str, Any]:
        event: dict[str, Any] = {target: values[column] for column, target in plain if column in values}
        for column, place, name in nested:
            value = values.get(column)
            if value is None or value == "":
                continue
            if reads_numbers and place not in ("external_ids", "consent"):
                value = _typed(value)
            event.setdefault(place, {})[name] = value
        return event

    return apply


def _typed(text: Any) -> Any:
    """3 and 3.5 are numbers, true and false are what they say; 007 stays text, as do numbers too long to be exact."""
    if not isinstance(text, str):
        return text
    plain = text.strip()
    if _NUMBER.fullmatch(plain):
        return float(plain) if "." in plain else int(plain)
    return {"true": True, "false": False}.get(plain.lower(), text)
