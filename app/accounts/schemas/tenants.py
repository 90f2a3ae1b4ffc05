"""JSON of tenants."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, EmailStr, Field

from app.accounts.schemas.users import InvitationOut, Name, absent
from app.accounts.services.plans import PlanName
from app.core.paging import PageQuery

SLUG = r"^[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?$"
MOST = 1_000_000


class TenantQuery(PageQuery):
    """`q` is part of a name or slug."""

    q: str = Field("", max_length=100)


class TenantCreate(BaseModel):
    """A limit that is absent is the plan's; null is none. `admin_email` is invited as the first admin."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(min_length=1, max_length=120)
    slug: str = Field(pattern=SLUG)
    plan: PlanName = PlanName.STARTER
    max_users: int | None = absent(ge=1, le=MOST)
    max_campaigns: int | None = absent(ge=0, le=MOST)
    admin_email: EmailStr | None = Field(None, max_length=254)


class TenantUpdate(BaseModel):
    """An admin changes name, timezone and requires_mfa of their own; the rest is the platform's."""

    model_config = ConfigDict(extra="forbid")

    name: Name = absent(min_length=1, max_length=120)
    timezone: str = absent(max_length=64)
    requires_mfa: bool = absent()
    slug: str = absent(pattern=SLUG)
    plan: PlanName = absent()
    max_users: int | None = absent(ge=1, le=MOST)
    max_campaigns: int | None = absent(ge=0, le=MOST)
    is_active: bool = absent()


class TenantOut(BaseModel):
    """A limit of null is none; `users` is how many active members it has."""

    id: int
    name: str
    slug: str
    plan: str
    max_users: int | None
    max_campaigns: int | None
    is_active: bool
    requires_mfa: bool
    timezone: str
    users: int
    created_at: datetime


class TenantCreated(TenantOut):
    """With the invitation of its first admin, where one was asked for."""

    invitation: InvitationOut | None
