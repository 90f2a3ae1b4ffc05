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
}


def field_errors(error: AppError | None) -> dict[str, str]:
    """The sentence for each field that was not acceptable, else one for the whole form."""
    if error is None:
        return {}
    problems = error.details.get("errors", [])
    found = {item["field"]: WORDS.get(item["field"], item["message"]) for item in problems}
    field = str(error.details.get("field") or "form")
    return found or {field: error.message.removeprefix(f"{field}: ")}
