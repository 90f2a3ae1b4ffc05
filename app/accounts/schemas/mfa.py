"""What the two-factor routes take in and answer with."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

Code = Field(min_length=1, max_length=64, description="Six digits of the app, or a backup code.")


class CodeIn(BaseModel):
    code: str = Code


class DisableIn(BaseModel):
    password: str = Field(min_length=1, max_length=256)
    code: str = Code


class SetupOut(BaseModel):
    """Shown this once. Nothing is in force until the first code is verified."""

    secret: str = Field(description="Base32, as authenticator apps take it.")
    qr_code_url: str = Field(description="The otpauth address that the QR code says.")
    backup_codes: list[str] = Field(description="None for whoever has a passkey: their codes stay as they are.")
    qr_svg: str = Field(description="The QR code as an SVG picture.")


class SwitchedOut(BaseModel):
    success: bool
    message: str
    mfa_enabled: bool = Field(description="Whether a second factor is asked for at sign-in from now on.")


class BackupCodesOut(BaseModel):
    """Shown this once; the old ones are worthless."""

    backup_codes: list[str]


class PasskeyOut(BaseModel):
    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


class StatusOut(BaseModel):
    enabled: bool
    confirmed_at: datetime | None = Field(description="When the app was confirmed.")
    backup_codes_left: int
    passkeys: list[PasskeyOut]
    is_required: bool = Field(description="Whether this workspace requires a second factor.")
