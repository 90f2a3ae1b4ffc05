"""Templates: made, changed version by version, copied, deleted. A version never changes: a campaign keeps its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.accounts.services import audit
from app.core.clock import utc_now
from app.core.db import db, get_required
from app.core.errors import Conflict, NotFound
from app.messaging.models import Approval, MessageChannel, MessageTemplate, TemplateVersion
from app.messaging.queries import templates as queries
from app.messaging.services import template_rules as rules

MOST = 1000
UsesTemplate = Callable[[int], Iterable[str]]
_users: list[UsesTemplate] = []


def register_user(find: UsesTemplate) -> UsesTemplate:
    """Let something besides campaigns say, in words, what of it uses a template: such a template cannot be deleted."""
    if find not in _users:
        _users.append(find)
    return find


def create(
    name: str,
    content: str,
    *,
    channel: str = MessageChannel.SMS,
    variables: list[str] | None = None,
    is_active: bool = True,
    language: str = "en",
    category: str = "MARKETING",
    user_id: int | None = None,
) -> MessageTemplate:
    """A template with its first version. Refuses a name that is taken and variables that are not those of the text."""
    row = MessageTemplate(name=rules.name(name), channel=rules.channel(channel), is_active=is_active,
                          created_by=user_id)  # fmt: skip
    text = rules.content(content, row.channel)
    rules.check_declared(text, variables)
    _refuse_taken(row.name)
    _refuse_too_many()
    db.session.add(row)
    _flush()
    _add_version(row, text, rules.language(language), rules.category(category), user_id)
    audit.record("template.created", row, after={"name": row.name, "channel": row.channel, "content": text})
    return row


def update(
    template_id: int,
    *,
    name: str | None = None,
    content: str | None = None,
    variables: list[str] | None = None,
    is_active: bool | None = None,
    language: str | None = None,
    category: str | None = None,
    user_id: int | None = None,
) -> MessageTemplate:
    """Change what is given. Another text is a new version; campaigns that run keep the one they have."""
    row = get(template_id, for_update=True)
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = rules.name(name)
        _refuse_taken(values["name"], besides=row.id)
    if is_active is not None:
        values["is_active"] = is_active
    before, after = audit.changed(row, values)
    old = newest_version(row)
    text = old.content if content is None else rules.content(content, row.channel)
    rules.check_declared(text, variables)
    spoken = old.language if language is None else rules.language(language)
    kind = old.category if category is None else rules.category(category)
    if (text, spoken, kind) != (old.content, old.language, old.category):
        row.version_number += 1
        _add_version(row, text, spoken, kind, user_id)
        before |= {"content": old.content, "version": old.number}
        after |= {"content": text, "version": row.version_number}
    if after:
        audit.record("template.changed", row, before=before, after=after)
    _flush()
    return row


def duplicate(template_id: int, *, user_id: int | None = None) -> MessageTemplate:
    """A copy of the newest version under a name of its own."""
    row = get(template_id)
    version = newest_version(row)
    return create(
        _copy_name(row.name), version.content, channel=row.channel, language=version.language,
        category=version.category, user_id=user_id,
    )  # fmt: skip


def delete(template_id: int) -> None:
    """Refused while a campaign that may still send uses it, saying which. What was sent with it stays readable."""
    row = get(template_id, for_update=True)
    used_by = list_users(row.id)
    if used_by:
        raise Conflict(f"This template is used by {', '.join(used_by[:5])}.", used_by=used_by)
    audit.record("template.deleted", row, before={"name": row.name, "content": newest_version(row).content})
    if queries.was_ever_used(row.id):
        row.removed_at, row.is_active = utc_now(), False
        row.name = f"{row.name[:170]} (deleted {row.id})"  # so that the name is free again
    else:
        db.session.delete(row)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("A campaign was just made with this template.") from None


def list_users(template_id: int) -> list[str]:
    """What uses the template and may still send it."""
    outside = [words for find in _users for words in find(template_id)]
    return [*queries.live_campaigns_of([template_id]).get(template_id, []), *outside]


def get(template_id: int, *, for_update: bool = False) -> MessageTemplate:
    """The template; one that was deleted is not found."""
    row = get_required(MessageTemplate, template_id, for_update=for_update, label="Template")
    if row.removed_at is not None:
        raise NotFound("Template not found.")
    return row


def get_by_uuid(uuid: str) -> MessageTemplate:
    """The template by the id APIs give it."""
    row = db.session.scalars(
        select(MessageTemplate).where(MessageTemplate.uuid == uuid, MessageTemplate.removed_at.is_(None))
    ).one_or_none()
    if row is None:
        raise NotFound("Template not found.")
    return row


def newest_version(template: MessageTemplate) -> TemplateVersion:
    """The version that is edited and previewed."""
    return _version(template, template.version_number)


def version_to_send(template: MessageTemplate) -> TemplateVersion:
    """The version a new campaign sends: the newest, on WhatsApp the newest that is approved while there is one."""
    if template.channel == MessageChannel.WHATSAPP:
        approved = db.session.scalars(
            select(TemplateVersion)
            .where(TemplateVersion.template_id == template.id, TemplateVersion.approval == Approval.APPROVED)
            .order_by(TemplateVersion.number.desc())
            .limit(1)
        ).one_or_none()
        if approved is not None:
            return approved
    return newest_version(template)


def _version(template: MessageTemplate, number: int) -> TemplateVersion:
    statement = select(TemplateVersion).where(TemplateVersion.template_id == template.id)
    return db.session.scalars(statement.where(TemplateVersion.number == number)).one()


def _add_version(row: MessageTemplate, text: str, language: str, category: str, user_id: int | None) -> None:
    approval = Approval.UNSUBMITTED if row.channel == MessageChannel.WHATSAPP else Approval.NOT_NEEDED
    version = TemplateVersion(
        template_id=row.id, number=row.version_number, content=text, variables=rules.variables_of(text),
        language=language, category=category, approval=approval, created_by=user_id,
    )  # fmt: skip
    db.session.add(version)
    db.session.flush()


def _refuse_too_many() -> None:
    statement = select(func.count(MessageTemplate.id)).where(MessageTemplate.removed_at.is_(None))
    if (db.session.scalar(statement) or 0) >= MOST:
        raise Conflict(f"A workspace has at most {MOST:,} templates.")


def _flush() -> None:
    """Two who take the same name at once: the second is refused by the database."""
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("There is a template of this name already.", field="name") from None


def _refuse_taken(name: str, besides: int = 0) -> None:
    taken = select(MessageTemplate.id).where(MessageTemplate.name == name, MessageTemplate.id != besides)
    if db.session.scalar(taken) is not None:
        raise Conflict("There is a template of this name already.", field="name", provided=name,
                       expected="a name no other template has")  # fmt: skip


def _copy_name(name: str) -> str:
    base, number = f"{name[:180]}, copy", 1
    like_it = MessageTemplate.name.startswith(base, autoescape=True)
    taken = set(db.session.scalars(select(MessageTemplate.name).where(like_it)))
    while (candidate := base if number == 1 else f"{base} {number}") in taken:
        number += 1
    return candidate
