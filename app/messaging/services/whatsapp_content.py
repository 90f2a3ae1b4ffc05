"""WhatsApp texts at the provider: registered with numbered variables, submitted for approval, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from app.accounts.services import audit
from app.core.clock import utc_now
from app.core.db import db, get_required, unit_of_work
from app.core.errors import AppError, InvalidTransition, ValidationFailed
from app.core.events import emit
from app.core.jobs import enqueue
from app.core.tenancy import current_tenant_id
from app.messaging.events import TemplateDecided
from app.messaging.models import Approval, MessageChannel, MessageTemplate, TemplateVersion
from app.messaging.providers.base import ErrorClass, MessageProvider, SendFailed
from app.messaging.queries.templates import channel_name
from app.messaging.services import accounts
from app.messaging.services.plain_values import plain
from app.messaging.services.rendering import Compiled, Slot, compile_text, compiled

TRY_AGAIN = (ErrorClass.TRANSIENT, ErrorClass.RATE_LIMIT, ErrorClass.DAILY_LIMIT)
_SAMPLES = {
    "name": "Ann Lee", "first_name": "Ann", "last_name": "Lee", "phone": "+14155550123", "company": "Acme",
    "email": "ann@example.com", "city": "Leeds",
}  # fmt: skip


def numbers_of(text: Compiled) -> dict[Slot, str]:
    """The number of each variable on WhatsApp, from "1" on in the order of first use."""
    return {slot: str(number) for number, slot in enumerate(dict.fromkeys(text.slots), 1)}


def body_of(text: Compiled) -> str:
    """The text with `{{1}}` where it takes a value."""
    numbers = numbers_of(text)
    marks = [f"{{{{{numbers[slot]}}}}}" for slot in text.slots]
    return text.words[0] + "".join(mark + words for mark, words in zip(marks, text.words[1:], strict=True))


def content_variables(text: Compiled, values: Mapping[str, Any]) -> dict[str, str]:
    """The person's values by number; raises MissingVariable."""
    numbers = numbers_of(text)
    return {numbers[slot]: value for slot, value in zip(text.slots, text.texts(values), strict=True)}


def examples_of(text: Compiled) -> dict[str, str]:
    """An example of each variable for whoever reviews the text; nobody's own values."""
    return {number: _example(slot) for slot, number in numbers_of(text).items()}


def _example(slot: Slot) -> str:
    return _SAMPLES.get(slot.name) or plain(slot.fallback) or slot.name.replace("_", " ").replace(".", " ")


def request_approval(template: MessageTemplate) -> TemplateVersion:
    """Hand the newest version to WhatsApp, by a job. Refuses what is with it already and what it would never take."""
    if template.channel != MessageChannel.WHATSAPP:
        raise InvalidTransition("Only WhatsApp texts are approved.")
    version = db.session.scalars(
        select(TemplateVersion)
        .where(TemplateVersion.template_id == template.id, TemplateVersion.number == template.version_number)
        .with_for_update()
    ).one()
    if version.approval != Approval.UNSUBMITTED:
        raise InvalidTransition(f"This version is {version.approval} already. Another text makes a new version.")
    _check_shape(compiled(version))
    accounts.provider()  # refuses while no account is connected
    version.approval, version.approval_note = Approval.RECEIVED, ""
    audit.record("template.submitted", template, after={"version": version.number})
    enqueue(
        "messaging.submit_template", unique_key=f"messaging.submit_template:{version.id}",
        label=f"Submit {template.name}"[:200], url=f"/app/templates/{template.id}", version_id=version.id,
    )  # fmt: skip
    db.session.flush()
    return version


def _check_shape(text: Compiled) -> None:
    """WhatsApp refuses a text that begins or ends with a variable."""
    if text.slots and not (text.words[0].strip() and text.words[-1].strip()):
        raise ValidationFailed(
            "content: WhatsApp takes no text that begins or ends with a variable. Put a word around it.",
            field="content", provided=body_of(text)[:80], expected="words before the first and after the last variable",
        )  # fmt: skip


@dataclass(frozen=True)
class _Paper:
    """What a version is submitted with, as plain values: no transaction is open while the provider is asked."""

    version_id: int
    sid: str
    name: str
    language: str
    category: str
    content: str


def submit(version_id: int) -> None:
    """Register and submit a version whose approval was asked for; run again, it goes on where it stopped.

    Raises SendFailed where trying again may help; anything else is written down and the version can be sent again.
    """
    paper = _paper(version_id)
    if paper is None:
        return
    try:
        _submit(paper, accounts.provider())
    except SendFailed as error:
        if error.error_class in TRY_AGAIN:
            raise
        give_back(version_id, error.message)
    except AppError as error:  # the account was taken away meanwhile
        give_back(version_id, error.message)


def _paper(version_id: int) -> _Paper | None:
    with unit_of_work():
        row = db.session.execute(
            select(TemplateVersion, MessageTemplate.name)
            .join(MessageTemplate, MessageTemplate.id == TemplateVersion.template_id)
            .where(TemplateVersion.id == version_id, TemplateVersion.approval == Approval.RECEIVED)
        ).one_or_none()
    if row is None:
        return None
    version, name = row
    name = f"{channel_name(name)}_{version.template_id}_v{version.number}"
    return _Paper(version.id, version.content_sid, name, version.language, version.category, version.content)


def _submit(paper: _Paper, provider: MessageProvider) -> None:
    sid = paper.sid
    if not sid:
        text = compile_text(paper.content)
        sid = provider.create_content(paper.name, paper.language, body_of(text), examples_of(text))
        _write(paper.version_id, content_sid=sid)
    status, note = provider.content_status(sid) if paper.sid else (Approval.UNSUBMITTED.value, "")
    if status == Approval.UNSUBMITTED:
        status, note = provider.submit_content(sid, paper.name, paper.category), ""
    record_status(paper.version_id, status, note)


def give_back(version_id: int, why: str) -> None:
    """The submission did not work: the version is as before, with the reason."""
    _write(version_id, approval=Approval.UNSUBMITTED, approval_note=why[:1000])
    _tell(version_id, Approval.UNSUBMITTED)


def check(version_id: int) -> None:
    """Ask what became of a version; raises SendFailed."""
    with unit_of_work():
        sid = get_required(TemplateVersion, version_id).content_sid
    status, note = accounts.provider().content_status(sid)
    record_status(version_id, status, note)


def record_status(version_id: int, status: str, note: str) -> None:
    """Keep what WhatsApp said; a word we do not know changes nothing but the time of asking."""
    known = status in set(Approval) and status != Approval.NOT_NEEDED
    with unit_of_work():
        version = get_required(TemplateVersion, version_id, for_update=True)
        was = version.approval
        version.checked_at = utc_now()
        if known and status != Approval.UNSUBMITTED:
            version.approval, version.approval_note = status, note[:1000]
        has_changed = version.approval != was
    if has_changed:
        _tell(version_id, status)


def _write(version_id: int, **values: Any) -> None:
    with unit_of_work():
        db.session.execute(update(TemplateVersion).where(TemplateVersion.id == version_id).values(**values))


def _tell(version_id: int, status: str) -> None:
    with unit_of_work():
        version = get_required(TemplateVersion, version_id)
        name = db.session.scalar(select(MessageTemplate.name).where(MessageTemplate.id == version.template_id))
        emit(TemplateDecided(current_tenant_id(), version.template_id, name or "", str(status)))
