"""JSON about passwords: asking for a link, setting one by it, and how good one would be."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from app.accounts.services.password_policy import MAX_LENGTH


class ForgotPassword(BaseModel):
    """Any text may be asked about: what cannot be an address is simply not an account."""

    email: str = Field(min_length=1, max_length=254, description="The account's e-mail.", examples=["user@example.com"])


class ResetPassword(BaseModel):
    """The token is the last part of the link; a password that is too weak is refused and leaves the link good."""

    token: str = Field(min_length=1, max_length=1000, description="The last part of the link that was mailed.")
    password: str = Field(min_length=1, max_length=MAX_LENGTH, description="At least 8 characters, not easily guessed.")


class StrengthQuestion(BaseModel):
    """A password somebody is typing, and what the same form says of them."""

    password: str = Field(min_length=1, max_length=MAX_LENGTH)
    about: list[Annotated[str, StringConstraints(max_length=254)]] = Field([], max_length=4)
