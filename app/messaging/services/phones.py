"""Phone numbers as callers write them, in E.164."""

from __future__ import annotations

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
