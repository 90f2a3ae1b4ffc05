"""One event as it was sent, checked and made plain, or the reason it cannot be kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.cdp.services import identity_values
from app.cdp.services.bulk import JsonText, json_text
from app.cdp.services.identity_rules import Ident, Rules

MAX_NAME, MAX_MESSAGE_ID = 200, 100
LARGEST = 2**63
MAX_BYTES, MAX_KEYS, MAX_DEPTH, MAX_KEY = 32 * 1024, 200, 5, 100
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
FUTURE = timedelta(minutes=10)
SKEW = timedelta(minutes=1)
IDENTITY_FIELDS = ("user_id", "email", "phone", "anonymous_id")
HOSTILE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class RowRefused(ValueError):
    """Why this row is not kept, and the field it is about."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


@dataclass(slots=True)
class EventRow:
    """An event that can be kept. `identities` are strongest first; `name` is empty for a person without an event."""

    name: str
    at: datetime
    identities: tuple[Ident, ...]
    traits: dict[str, Any]
    properties: JsonText
    context: JsonText
    message_id: str | None


def clean(raw: Any, rules: Rules, received_at: datetime, *, is_person: bool = False) -> EventRow:
    """The row as it is kept; raises RowRefused. A person needs no event name."""
    if not isinstance(raw, dict):
        raise RowRefused("", "must be an object")
    traits = objects(raw, "traits")
    return EventRow(
        name="" if is_person else _name(raw.get("event_name")),
        at=_time(raw, received_at),
        identities=_identities(raw, traits, rules),
        traits=traits,
        properties=json_text(objects(raw, "properties")),
        context=json_text(objects(raw, "context")),
        message_id=_message_id(raw.get("message_id")),
    )


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise RowRefused("event_name", "is needed")
    name = value.strip()
    if len(name) > MAX_NAME:
        raise RowRefused("event_name", f"must have at most {MAX_NAME} characters")
    check_key(name, "event_name", MAX_NAME)
    return name


def _message_id(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_MESSAGE_ID or HOSTILE.search(value):
        raise RowRefused("message_id", f"must be text of at most {MAX_MESSAGE_ID} characters")
    return value


def _time(raw: dict[str, Any], received_at: datetime) -> datetime:
    """When it happened. A sender's clock that is more than a minute off is set right by when it says it sent."""
    at = moment(raw, "timestamp")
    sent_at = moment(raw, "sent_at")
    if at is None:
        return received_at
    try:
        if sent_at is not None and abs(received_at - sent_at) > SKEW:
            at += received_at - sent_at
        if at > received_at + FUTURE:
            raise RowRefused("timestamp", "is in the future")
    except OverflowError:
        raise RowRefused("timestamp", "is no time anything could be counted by") from None
    if at < EARLIEST:
        raise RowRefused("timestamp", "is before the year 2000")
    return at


def moment(raw: dict[str, Any], field: str) -> datetime | None:
    """The ISO 8601 time in a field; without a zone it is UTC."""
    text = raw.get(field)
    if text is None or text == "":
        return None
    if not isinstance(text, str) or len(text) > 40:
        raise RowRefused(field, "must be a time in ISO 8601")
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RowRefused(field, "must be a time in ISO 8601") from None


def _identities(raw: dict[str, Any], traits: dict[str, Any], rules: Rules) -> tuple[Ident, ...]:
    found: list[Ident] = []
    was_given = False
    for kind in IDENTITY_FIELDS:
        value = raw.get(kind)
        if value is None or value == "":
            continue
        was_given = True
        _add(found, kind, value, kind, rules)
    for system, value in objects(raw, "external_ids").items():
        was_given = True
        if not identity_values.SYSTEM.fullmatch(system):
            raise RowRefused("external_ids", "a system's name has 1 to 40 small letters, digits, dots or dashes")
        _add(found, f"external:{system}", value, f"external_ids.{system}", rules)
    _add_from_traits(found, traits, rules)
    if not found:
        reason = "every identity given stands for nobody" if was_given else "an identity is needed"
        raise RowRefused("identity", f"{reason}: send user_id, anonymous_id, email, phone or external_ids")
    return rules.by_strength(found)


def _add(found: list[Ident], kind: str, value: Any, field: str, rules: Rules) -> None:
    try:
        text = identity_values.clean(kind, value, rules)
    except identity_values.BadValue as error:
        raise RowRefused(field, str(error)) from None
    if text is not None:
        found.append((kind, text))


def _add_from_traits(found: list[Ident], traits: dict[str, Any], rules: Rules) -> None:
    """An e-mail address or number among the traits is an identity too, if it is a good one."""
    given = {kind for kind, _ in found}
    for kind in ("email", "phone"):
        if kind in traits and kind not in given:
            try:
                text = identity_values.clean(kind, traits[kind], rules)
            except identity_values.BadValue:
                continue
            if text is not None:
                found.append((kind, text))


def objects(raw: dict[str, Any], field: str) -> dict[str, Any]:
    """The object in a field, within its limits."""
    value = raw.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RowRefused(field, "must be an object")
    if value:
        check_object(value, field)
    return value


def check_object(value: dict[str, Any], field: str) -> None:
    """Refuse what is too large, too deep, has too many or hostile names, or values no database keeps."""
    keys, size = _measure(value, field, 1)
    if keys > MAX_KEYS:
        raise RowRefused(field, f"has more than {MAX_KEYS} properties")
    if size > MAX_BYTES:
        raise RowRefused(field, f"is larger than {MAX_BYTES // 1024} KB")


def _measure(value: dict[str, Any] | list[Any], field: str, depth: int) -> tuple[int, int]:
    """How many names there are and roughly how many bytes."""
    if depth > MAX_DEPTH:
        raise RowRefused(field, f"is nested more than {MAX_DEPTH} deep")
    keys, size = 0, 2
    if isinstance(value, dict):
        keys = len(value)
        for key in value:
            if len(key) > MAX_KEY or not key.isidentifier():  # those that are one are visible and without $
                check_key(key, field)
            size += len(key) + 4
        inner: Any = value.values()
    else:
        inner = value
    for one in inner:
        if type(one) is str:
            size += (len(one) if one.isascii() else len(one.encode(errors="replace"))) + 3
            if not one.isprintable() and _UNSTORABLE.search(one):
                raise RowRefused(field, "has a character that cannot be kept (NUL or half a pair)")
        elif isinstance(one, dict | list):
            more_keys, more = _measure(one, field, depth + 1)
            keys, size = keys + more_keys, size + more
        else:
            size += 8
            if isinstance(one, int | float) and not -LARGEST < one < LARGEST:  # NaN is not either
                raise RowRefused(field, "has a number too large to be kept")
    return keys, size


def check_key(key: str, field: str, longest: int = MAX_KEY) -> None:
    """Names are short, visible and do not begin with $, which is kept for our own."""
    if not 0 < len(key) <= longest:
        raise RowRefused(field, f"a name must have 1 to {longest} characters")
    if key[0] == "$":
        raise RowRefused(field, "a name must not begin with $")
    if not key.isprintable() and HOSTILE.search(key):
        raise RowRefused(field, "a name has characters that cannot be kept")
