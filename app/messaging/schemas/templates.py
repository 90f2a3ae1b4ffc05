"""Templates in and out, as the messaging contract and stratum's WhatsApp part speak of them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.core.clock import iso
from app.messaging.models import MessageTemplate, TemplateVersion
from app.messaging.queries.templates import Row
from app.messaging.services import text_parts
from app.messaging.services.rendering import compile_text
from app.messaging.services.template_people import Shown

Category = Literal["MARKETING", "UTILITY", "AUTHENTICATION"]


class TemplatesQuery(BaseModel):
    """`q` is looked for in names and texts."""

    page: int = Field(1, ge=1, le=100_000)
    per_page: int = Field(100, ge=1, le=100)
    q: str = Field("", max_length=200)
    channel: Literal["", "sms", "whatsapp"] = ""
    is_active: bool | None = None


class TemplateIn(BaseModel):
    """`content` writes `{name}`, or `{name|fallback}`; `variables`, where given, are the names it uses."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=1000, examples=["Order Confirmation"])
    content: str = Field(max_length=20_000, examples=["Hi {customer_name|there}! Your order #{order_id} is confirmed."])
    variables: list[str] | None = Field(None, max_length=100, examples=[["customer_name", "order_id"]])
    channel: Literal["sms", "whatsapp"] = "sms"
    is_active: bool = True
    language: str = Field("en", max_length=20)
    category: Category = "MARKETING"


class TemplateChangeIn(BaseModel):
    """What is given changes; another `content` makes a new version."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=1000)
    content: str | None = Field(None, max_length=20_000)
    variables: list[str] | None = Field(None, max_length=100)
    is_active: bool | None = None
    language: str | None = Field(None, max_length=20)
    category: Category | None = None


class TemplateOut(BaseModel):
    """`parts` counts the text as it is written; with values it may need more. `used_by` may still send it."""

    id: str
    name: str
    content: str
    variables: list[str]
    fallbacks: dict[str, str]
    character_count: int
    encoding: Literal["GSM-7", "UCS-2"]
    parts: int
    channel: Literal["sms", "whatsapp"]
    version: int
    language: str
    category: str
    approval: str = Field(description="not_needed for SMS; on WhatsApp from unsubmitted to approved or rejected.")
    approval_note: str
    used_by: list[str]
    created_at: str
    updated_at: str
    is_active: bool


class TemplatesOut(BaseModel):
    templates: list[TemplateOut]
    total: int
    page: int
    per_page: int
    pages: int


class TemplateDeleted(BaseModel):
    message: str
    id: str


class PreviewIn(BaseModel):
    """Whom to render for: the person with `phone_e164`, or `attributes` of somebody made up."""

    model_config = ConfigDict(extra="forbid")

    phone_e164: str | None = Field(None, max_length=40)
    attributes: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> PreviewIn:
        if (self.phone_e164 is None) == (self.attributes is None):
            raise ValueError("give either phone_e164 or attributes")
        return self


class PreviewOut(BaseModel):
    """`missing` are variables without value and fallback, in brackets in `rendered`: nothing is sent to this person."""

    rendered: str
    missing: list[str]
    character_count: int
    encoding: Literal["GSM-7", "UCS-2"]
    parts: int


class WhatsAppSendIn(BaseModel):
    """`template` is its name, or its name as WhatsApp writes it; `parameters` outweigh what is known of them."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(max_length=40, examples=["+14155550123"])
    template: str = Field(min_length=1, max_length=400, examples=["welcome_message"])
    parameters: dict[str, str | int | float | bool] = Field({}, max_length=100)


class WhatsAppSent(BaseModel):
    success: Literal[True]
    message_id: str
    status: str


class WhatsAppTemplate(BaseModel):
    """`name` is what `send` takes."""

    id: str
    name: str
    title: str
    content: str
    parameters: list[str]
    language: str
    category: str
    status: str
    updated_at: str


def template_out(row: Row) -> dict[str, Any]:
    template, version = row.template, row.version
    text = compile_text(version.content)
    counted = text_parts.count(version.content)
    return {
        "id": template.uuid, "name": template.name, "content": version.content, "variables": text.names,
        "fallbacks": {one["name"]: one["fallback"] for one in text.variables if one["fallback"] is not None},
        "character_count": len(version.content), "encoding": counted.encoding, "parts": counted.parts,
        "channel": template.channel, "version": version.number, "language": version.language,
        "category": version.category, "approval": version.approval, "approval_note": version.approval_note,
        "used_by": row.used_by, "created_at": iso(template.created_at), "updated_at": iso(template.updated_at),
        "is_active": template.is_active,
    }  # fmt: skip


def preview_out(shown: Shown) -> dict[str, Any]:
    return {
        "rendered": shown.text, "missing": shown.missing, "character_count": len(shown.text),
        "encoding": shown.parts.encoding, "parts": shown.parts.parts,
    }  # fmt: skip


def whatsapp_out(template: MessageTemplate, version: TemplateVersion, name: str) -> dict[str, Any]:
    return {
        "id": template.uuid, "name": name, "title": template.name, "content": version.content,
        "parameters": compile_text(version.content).names, "language": version.language,
        "category": version.category, "status": version.approval, "updated_at": iso(template.updated_at),
    }  # fmt: skip
