"""Fields of the AI settings forms."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, field_validator

from app.core.errors import ValidationFailed


class AccessForm(BaseModel):
    """One provider's access; an empty key keeps the one that is stored."""

    api_key: str = ""
    base_url: str = ""
    model: str = ""
    is_enabled: bool = False
    uses_sandbox: bool = False

    @field_validator("api_key", "base_url", "model")
    @classmethod
    def _trim(cls, value: str) -> str:
        return value.strip()


class BudgetForm(BaseModel):
    """Dollars a month; empty means the platform's ceiling."""

    budget: str = ""

    @property
    def dollars(self) -> float | None:
        text = self.budget.strip().removeprefix("$").replace(",", "")
        if not text:
            return None
        try:
            amount = float(text)
        except ValueError:
            amount = -1.0
        if not 0 <= amount <= 1_000_000:  # also refuses "nan", which compares with nothing
            raise ValidationFailed("Give the budget as dollars from 0 to 1,000,000, such as 50.", field="budget")
        return amount


def as_text(form: Mapping[str, str], name: str) -> str:
    """A field of a form as it was typed."""
    return str(form.get(name, ""))
