"""What a refused form says beside its fields."""

from __future__ import annotations

from app.core.errors import AppError


def field_errors(error: AppError | None) -> dict[str, str]:
    """The sentence for the field that was not acceptable, else one for the whole form."""
    if error is None:
        return {}
    field = str(error.details.get("field") or "form")
    text = error.message.removeprefix(f"{field}: ")
    return {field: text[:1].upper() + text[1:]}
