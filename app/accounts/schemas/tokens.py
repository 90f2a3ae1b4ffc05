"""JSON of signing in with tokens."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, EmailStr, Field

from app.accounts.schemas.credentials import SignInCredentials

ROW_ID_MAX = 2**31 - 1


class TokenSignIn(SignInCredentials):
    """Sign-in; `mfa_code` where two-factor is on, `tenant_id` for another workspace than the first."""

    mfa_code: str | None = Field(None, max_length=64)
    tenant_id: int | None = Field(None, ge=1, le=ROW_ID_MAX)


class TokenSignUp(BaseModel):
    """A new person with a workspace of their own."""

    email: EmailStr = Field(max_length=254)
    password: str = Field(min_length=1, max_length=256)
    full_name: str = Field("", max_length=120)
    workspace: str = Field("", max_length=120)


class TokenRefresh(BaseModel):
    refresh_token: str = Field(min_length=1, max_length=400)


class TenantSwitch(BaseModel):
    tenant_id: int = Field(ge=1, le=ROW_ID_MAX)


class TokenUser(BaseModel):
    """Whom the tokens speak for, in the tenant they were made for."""

    id: int
    email: str
    full_name: str
    role: str
    tenant_id: int


class TokenAnswer(BaseModel):
    """`expires_in`: seconds the access token lives."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    user: TokenUser


class OwnTenant(BaseModel):
    id: int
    name: str
    slug: str
    plan: str


class Me(BaseModel):
    """The caller: who, where, and what they may do."""

    id: int
    email: str
    full_name: str
    role: str
    tenant_id: int
    tenant: OwnTenant
    mfa_enabled: bool
    permissions: list[str]


class OwnSession(BaseModel):
    """A place the caller is signed in; `kind` is browser or tokens."""

    id: int
    kind: str
    tenant_id: int
    address: str
    client: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_current: bool


class Done(BaseModel):
    """It was done."""

    success: bool
    message: str
