"""JSON that accounts take in."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, EmailStr, Field


class Credentials(BaseModel):
    """E-mail and password, as sign-up, sign-in and set-up take them."""

    model_config = ConfigDict(extra="ignore")

    email: EmailStr = Field(max_length=254)
    password: str = Field(min_length=1, max_length=256)


class SignInCredentials(BaseModel):
    """At sign-in an address that cannot be one is simply not an account."""

    email: str = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=256)
    mfa_code: str | None = Field(
        None, max_length=64, description="Where two-factor is on: a code of the app or a backup code."
    )
