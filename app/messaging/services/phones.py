"""Phone numbers as callers write them, in E.164."""

from __future__ import annotations

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from app.cdp.services import identity_rules
from app.cdp.services.identity_values import BadValue, clean_phone
from app.core.errors import ValidationFailed

EXPECTED = "E.164 format (+1234567890)"


def read(text: str, field: str) -> str:
    """The number in E.164; one without its country is of the workspace's own, where it has set one."""
    try:
        return clean_phone(text.strip(), identity_rules.load_rules().default_region)
    except BadValue as error:
        raise ValidationFailed(f"{field}: {error}.", field=field, provided=text, expected=EXPECTED) from None


def calling_code(number: str) -> str:
    """`+49` of a number in E.164, or nothing for one that was blanked; no calling code begins another."""
    digits = number[1:4]
    for length in (1, 2, 3):
        if digits[:length].isdecimal() and int(digits[:length]) in COUNTRY_CODE_TO_REGION_CODE:
            return f"+{digits[:length]}"
    return ""
