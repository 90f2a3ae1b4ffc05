"""Identities as they are stored: trimmed, lower case where it does not matter, phone numbers in E.164."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import phonenumbers

from app.cdp.services.identity_rules import Rules

MAX_ID = 200
_EMAIL = re.compile(r'[^\s@<>()\[\],;:"\\]{1,64}@(?:[\w-]{1,63}\.)+[\w-]{2,63}')
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
SYSTEM = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")


class BadValue(ValueError):
    """An identity that cannot be one; its text is for the sender."""


def clean(kind: str, raw: Any, rules: Rules) -> str | None:
    """The value as it is stored, None when it is empty or means nobody. Raises BadValue."""
    if raw is None:
        return None
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    if not isinstance(raw, str):
        raise BadValue("must be text")
    text = raw.strip()
    if not text or rules.is_blocked(kind, text):
        return None
    if (not text.isascii() or not text.isprintable()) and _CONTROL.search(text):
        raise BadValue("has characters that cannot be kept")
    if kind == "email":
        return clean_email(text)
    if kind == "phone":
        phone = clean_phone(text, rules.default_region)
        return None if rules.is_blocked(kind, phone) else phone
    if len(text) > MAX_ID:
        raise BadValue(f"must have at most {MAX_ID} characters")
    return text


def clean_email(text: str) -> str:
    if len(text) > 254 or not _EMAIL.fullmatch(text):
        raise BadValue("is not an e-mail address")
    return text.lower()


def clean_phone(text: str, region: str) -> str:
    """E.164; a number without its country is refused unless the tenant has a default one."""
    found = _parse_phone(text, region)
    if found:
        return found
    if not text.startswith("+") and not region:
        raise BadValue("must name its country, as in +14155550123")
    raise BadValue("is not a phone number")


@lru_cache(maxsize=50_000)
def _parse_phone(text: str, region: str) -> str:
    if len(text) > 40:
        return ""
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
