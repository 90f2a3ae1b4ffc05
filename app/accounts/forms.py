"""What a refused form says beside its fields."""

from __future__ import annotations

from app.core.errors import AppError

WORDS = {  # what a schema says of these is for programs
    "name": "Enter a name.",
    "slug": "Use small letters, digits and hyphens, and begin and end with a letter or digit.",
    "max_users": "Enter a whole number from 1 on, or nothing.",
    "max_campaigns": "Enter a whole number, or nothing.",
    "email": "Enter an e-mail address.",
    "admin_email": "Enter an e-mail address, or nothing.",
    "role": "Choose a role.",
    "from": "Enter a date of the calendar.",
    "to": "Enter a date of the calendar.",
}
MISSING = {"full_name": "Enter your name.", "password": "Enter a password."}


def field_errors(error: AppError | None) -> dict[str, str]:
    """The sentence for each field that was not acceptable, else one for the whole form."""
    if error is None:
        return {}
    found: dict[str, str] = {}
    for item in error.details.get("errors", []):
        found.setdefault(item["field"], _said(item["field"], item["message"]))
    field = str(error.details.get("field") or "form")
    return found or {field: _sentence(error.message.removeprefix(f"{field}: "))}


def _said(field: str, message: str) -> str:
    """The policy for passwords speaks to people already: only of one that is missing the schema's words are met."""
    if "at least 1 character" in message:
        return MISSING.get(field) or WORDS.get(field) or "Fill this in."
    return WORDS.get(field) or _sentence(message)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
