"""JSON of the users of a tenant and of invitations to join it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, EmailStr, Field

from app.accounts.models import Role
from app.core.paging import PageQuery

Name = Annotated[str, BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value)]


def absent(**rules: Any) -> Any:
    """A field of a change that may be left out but not null: read it with `exclude_unset`."""
    return Field(default_factory=lambda: None, **rules)


class UserQuery(PageQuery):
    """Filters of the list; `q` is how a name or an e-mail begins."""

    role: Literal["superadmin", "admin", "manager", "analyst", "viewer"] | None = None
    is_active: bool | None = None
    q: str = Field("", max_length=100)


class UserCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: EmailStr = Field(max_length=254)
    full_name: Name = Field(min_length=1, max_length=120)
    role: Role
    password: str = Field(min_length=1, max_length=256)


class UserUpdate(BaseModel):
    """What an admin may change; e-mail and password are the person's own."""

    model_config = ConfigDict(extra="forbid")

    full_name: Name = absent(min_length=1, max_length=120)
    role: Role = absent()
    is_active: bool = absent()


class UserOut(BaseModel):
    """A member of the tenant; `role` and `is_active` are theirs here."""

    id: int
    email: str
    full_name: str
    role: str
    tenant_id: int
    is_active: bool
    mfa_enabled: bool
    last_seen_at: datetime | None
    created_at: datetime


class InvitationCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: EmailStr = Field(max_length=254)
    role: Role


class InvitationOut(BaseModel):
    """An open invitation; whoever has `url` can accept it once."""

    id: int
    email: str
    role: str
    expires_at: datetime
    url: str


class AcceptForm(BaseModel):
    """What a new person gives to join."""

    full_name: Name = Field(min_length=1, max_length=120)
    password: str = Field(min_length=1, max_length=256)
