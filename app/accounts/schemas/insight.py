"""What the insight contract's sign-up and sign-in answer."""

from __future__ import annotations

from pydantic import Field

from app.core.describe import Message


class AccountSaid(Message):
    """What was done, and for whom."""

    user_id: int = Field(examples=[1])
