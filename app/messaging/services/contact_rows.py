"""A contact as it is sent, checked and made plain: number, attributes, consent; or the reason it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.cdp.services import identity_values, ingestion_rows
from app.cdp.services.identity_rules import Rules
from app.cdp.services.ingestion_rows import EventRow, RowRefused
from app.messaging.services.contact_words import E164, ConsentWord, Refusal, read_word

PHONE = "phone_e164"
ATTRIBUTES = "an object of names and values, names without $ at their beginning"


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact that can be kept; `person` is what customer data takes in."""

    phone: str
    word: ConsentWord | None
    person: EventRow


def clean(raw: Mapping[str, Any], rules: Rules, now: datetime, *, is_file: bool = False) -> ContactRow:
    """The row as it is kept; raises Refusal."""
    phone = read_phone(raw.get(PHONE), rules)
    word = read_word(raw.get("consent_state"), allows_lower=is_file)
    attributes = _as_object(raw.get("attributes"))
    try:
        person = ingestion_rows.clean({"phone": phone, "traits": attributes}, rules, now, is_person=True)
    except RowRefused as error:
        raise Refusal("attributes", f"attributes: {error.message}", attributes, ATTRIBUTES) from None
    return ContactRow(phone, word, person)


def read_phone(raw: Any, rules: Rules) -> str:
    """The number in E.164; one without its country is of the workspace's own region, if it has one."""
    message = "Phone number must be in E.164 format"
    if not isinstance(raw, str) or not raw.strip():
        raise Refusal(PHONE, message, raw, E164)
    try:
        phone = identity_values.clean("phone", raw, rules)
    except identity_values.BadValue:
        phone = None
    if phone is None:
        raise Refusal(PHONE, message, raw, E164)
    return phone


def read_attributes(raw: Any) -> dict[str, Any]:
    """The attributes within the limits of traits; none when nothing is given."""
    attributes = _as_object(raw)
    try:
        ingestion_rows.check_object(attributes, "attributes")
    except RowRefused as error:
        raise Refusal("attributes", f"attributes: {error.message}", raw, ATTRIBUTES) from None
    return attributes


def _as_object(raw: Any) -> dict[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise Refusal("attributes", "attributes: must be an object", raw, ATTRIBUTES)
    return raw
