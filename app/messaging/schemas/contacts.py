"""Contacts in and out, as the messaging contract calls them: users.

Numbers and words of consent are looked at by the service, so that a refusal says what was given and what is expected.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from app.core.clock import iso
from app.core.paging import MAX_PAGE, Page
from app.messaging.services.contact_words import SAYABLE, ConsentWord
from app.messaging.services.contacts import Contact

WORDS = [str(word) for word in SAYABLE]
PhoneText = Annotated[Any, WithJsonSchema({"type": "string", "examples": ["+14155551234"]})]
WordText = Annotated[Any, WithJsonSchema({"enum": [*WORDS, None], "examples": ["OPT_IN"]})]
Attributes = Annotated[
    Any,
    WithJsonSchema({
        "anyOf": [{"type": "object", "additionalProperties": True}, {"type": "null"}],
        "examples": [{"name": "Jane Smith", "city": "Austin"}],
    }),
]  # fmt: skip


class UsersQuery(BaseModel):
    """`consent_state`: only those it is true of; UNKNOWN are those nobody asked."""

    page: int = Field(1, ge=1, le=MAX_PAGE)
    per_page: int = Field(20, ge=1, le=100)
    consent_state: Annotated[Any, WithJsonSchema({"enum": [*WORDS, "UNKNOWN"]})] = None


class UserIn(BaseModel):
    """`attributes` are kept as traits of the person; their `email` tells who they are as well."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"required": ["phone_e164"]})

    phone_e164: PhoneText = None
    consent_state: WordText = None
    attributes: Attributes = None


class UserChangeIn(BaseModel):
    """What is given changes; an attribute that is null is removed."""

    model_config = ConfigDict(extra="forbid")

    consent_state: WordText = None
    attributes: Attributes = None


class UserOut(BaseModel):
    """`consent_updated_at` is null, and the state UNKNOWN, for somebody nobody asked."""

    phone_e164: str
    created_at: str
    consent_state: ConsentWord
    consent_updated_at: str | None
    attributes: dict[str, Any]
    last_message_received: str | None


class UsersOut(BaseModel):
    users: list[UserOut]
    total: int
    page: int
    per_page: int
    pages: int


class UserCreated(BaseModel):
    phone_e164: str
    created_at: str
    consent_state: ConsentWord
    message: str


class UserChanged(UserOut):
    message: str


class UserDeleted(BaseModel):
    message: str
    phone_e164: str


def user_out(row: Contact) -> dict[str, Any]:
    return {
        "phone_e164": row.phone, "created_at": iso(row.created_at), "consent_state": row.consent,
        "consent_updated_at": iso(row.consent_at), "attributes": row.attributes,
        "last_message_received": iso(row.last_received_at),
    }  # fmt: skip


def users_out(page: Page[Contact]) -> dict[str, Any]:
    return {
        "users": [user_out(row) for row in page.items], "total": page.total, "page": page.number,
        "per_page": page.limit, "pages": page.pages,
    }  # fmt: skip
