"""Templates as lists and pages show them: each with its newest version and what uses it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, column, func, select, table

from app.core.db import db
from app.core.paging import Page, paginate
from app.messaging.models import (
    ENDED,
    Approval,
    Campaign,
    CampaignVariant,
    MessageChannel,
    MessageTemplate,
    TemplateVersion,
)

_users = table("users", column("id"), column("name"), column("email"))
SORTS = {"name": "Name", "updated": "Changed last"}


@dataclass(frozen=True)
class Row:
    """A template, its newest version, and the campaigns that may still send it."""

    template: MessageTemplate
    version: TemplateVersion
    used_by: list[str]


def list_rows(
    page: int, limit: int, *, q: str = "", channel: str = "", active: bool | None = None, sort: str = "name"
) -> Page[Row]:
    """A page of templates, by name or the last changed first."""
    found = paginate(_chosen(q, channel, active, sort), page, limit, rows=True)
    used_by = live_campaigns_of([template.id for template, _ in found.items])
    rows = [Row(template, version, used_by.get(template.id, [])) for template, version in found.items]
    return Page(rows, found.total, found.number, found.limit)


def row_of(template: MessageTemplate) -> Row:
    """One template as a list shows it."""
    version = db.session.scalars(
        select(TemplateVersion).where(
            TemplateVersion.template_id == template.id, TemplateVersion.number == template.version_number
        )
    ).one()
    return Row(template, version, live_campaigns_of([template.id]).get(template.id, []))


def _chosen(q: str, channel: str, active: bool | None, sort: str) -> Any:
    newest = TemplateVersion.number == MessageTemplate.version_number
    both: Any = select(MessageTemplate, TemplateVersion)
    statement = both.join(TemplateVersion, (TemplateVersion.template_id == MessageTemplate.id) & newest)
    statement = statement.where(MessageTemplate.removed_at.is_(None))
    if q:
        wanted = q.lower()
        in_name = func.lower(MessageTemplate.name).contains(wanted, autoescape=True)
        statement = statement.where(in_name | func.lower(TemplateVersion.content).contains(wanted, autoescape=True))
    if channel:
        statement = statement.where(MessageTemplate.channel == channel)
    if active is not None:
        statement = statement.where(MessageTemplate.is_active == active)
    if sort == "updated":
        return statement.order_by(MessageTemplate.updated_at.desc(), MessageTemplate.id.desc())
    return statement.order_by(func.lower(MessageTemplate.name), MessageTemplate.id)


def list_versions(template_id: int) -> list[TemplateVersion]:
    """The newest first."""
    statement = select(TemplateVersion).where(TemplateVersion.template_id == template_id)
    return list(db.session.scalars(statement.order_by(TemplateVersion.number.desc())))


def find_version(template_id: int, number: int) -> TemplateVersion | None:
    statement = select(TemplateVersion).where(TemplateVersion.template_id == template_id)
    return db.session.scalars(statement.where(TemplateVersion.number == number)).one_or_none()


def live_campaigns_of(template_ids: Iterable[int]) -> dict[int, list[str]]:
    """By template, the campaigns that may still send one of its versions, in words."""
    found: dict[int, list[str]] = {}
    statement = _uses(list(template_ids)).where(Campaign.state.not_in(ENDED))
    for template_id, name in db.session.execute(statement.order_by(Campaign.id.desc())):
        words = found.setdefault(template_id, [])
        if f"campaign {name}" not in words:
            words.append(f"campaign {name}")
    return found


def was_ever_used(template_id: int) -> bool:
    """Whether any campaign, ended ones too, was made with a version of it."""
    return db.session.execute(_uses([template_id]).limit(1)).first() is not None


def _uses(template_ids: list[int]) -> Any:
    both: Any = select(TemplateVersion.template_id, Campaign.name)
    return (
        both.join(CampaignVariant, CampaignVariant.version_id == TemplateVersion.id)
        .join(Campaign, Campaign.id == CampaignVariant.campaign_id)
        .where(TemplateVersion.template_id.in_(template_ids))
    )


def find_whatsapp_by_name(name: str) -> MessageTemplate | None:
    """An active WhatsApp template by its name, or by that name as the channel writes it (welcome_message)."""
    statement = select(MessageTemplate).where(
        MessageTemplate.channel == MessageChannel.WHATSAPP,
        MessageTemplate.removed_at.is_(None),
        MessageTemplate.is_active.is_(True),
    )
    rows = list(db.session.scalars(statement.order_by(MessageTemplate.id)))
    exact = next((row for row in rows if row.name == name or row.uuid == name), None)
    return exact or next((row for row in rows if channel_name(row.name) == name), None)


def list_approved_whatsapp(most: int = 100) -> list[tuple[MessageTemplate, TemplateVersion]]:
    """Active WhatsApp templates by name, each with its newest approved version; those without one are left out."""
    newest = (
        select(TemplateVersion.template_id, func.max(TemplateVersion.number).label("number"))
        .where(TemplateVersion.approval == Approval.APPROVED)
        .group_by(TemplateVersion.template_id)
        .subquery()
    )
    both: Any = select(MessageTemplate, TemplateVersion)
    statement = (
        both.join(newest, newest.c.template_id == MessageTemplate.id)
        .join(TemplateVersion, (TemplateVersion.template_id == MessageTemplate.id)
              & (TemplateVersion.number == newest.c.number))
        .where(MessageTemplate.channel == MessageChannel.WHATSAPP, MessageTemplate.removed_at.is_(None),
               MessageTemplate.is_active.is_(True))
        .order_by(func.lower(MessageTemplate.name), MessageTemplate.id)
        .limit(most)
    )  # fmt: skip
    return [(template, version) for template, version in db.session.execute(statement)]


def channel_name(name: str) -> str:
    """A name as WhatsApp takes it: small letters, digits and underscores."""
    letters = "".join(one if one.isascii() and one.isalnum() else "_" for one in name.lower())
    return "_".join(part for part in letters.split("_") if part)[:400] or "template"


def waiting(approved_before: datetime) -> ColumnElement[bool]:
    """Versions to ask about: those WhatsApp has yet to decide on, and those it approved, looked at again since then."""
    undecided = TemplateVersion.approval.in_((Approval.RECEIVED, Approval.PENDING))
    decided = TemplateVersion.approval.in_((Approval.APPROVED, Approval.PAUSED))
    is_old = TemplateVersion.checked_at < approved_before
    return (TemplateVersion.content_sid != "") & (undecided | (decided & is_old))


def list_to_check(approved_before: datetime) -> list[TemplateVersion]:
    """The acting tenant's, those not looked at for longest first."""
    statement = select(TemplateVersion).where(waiting(approved_before))
    statement = statement.order_by(TemplateVersion.checked_at.nulls_first(), TemplateVersion.id)
    return list(db.session.scalars(statement.limit(200)))


def names_of_users(user_ids: Iterable[int]) -> dict[int, str]:
    """What to call the people who wrote versions, by their ids."""
    rows = db.session.execute(select(_users.c.id, _users.c.name, _users.c.email).where(_users.c.id.in_(list(user_ids))))
    return {row.id: row.name or row.email for row in rows}
