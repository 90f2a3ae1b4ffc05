"""One approved WhatsApp text to one person, asked for by a program: looked at as strictly as a campaign's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from app.accounts.services import audit
from app.cdp.services import consent
from app.core.db import db
from app.core.errors import NotFound, ValidationFailed
from app.core.jobs import enqueue
from app.messaging.models import Approval, Message, MessageChannel, Suppression, TemplateVersion
from app.messaging.queries import templates as queries
from app.messaging.services import accounts, phones, template_people, templates
from app.messaging.services.plain_values import PersonValues, plain
from app.messaging.services.rendering import Compiled, MissingVariable, compiled
from app.messaging.services.whatsapp_content import content_variables

_CHANNEL = MessageChannel.WHATSAPP
_GRANTED = "granted"


def send(to: str, template_name: str, parameters: Mapping[str, Any]) -> Message:
    """A message that a job hands over after the commit.

    Refused for who did not agree or cannot be reached, for a text WhatsApp has not approved, and where a value is
    missing. Caps and quiet hours are for campaigns: this answers something the person did.
    """
    version = _approved(template_name)
    text = compiled(version)
    _check_names(parameters, text)
    phone = phones.read(to, "to")
    person = _person_to_write_to(phone)
    values = _with(template_people.values_for(person, text, template_people.tenant_name()), parameters)
    row = _message(version, text, values, person.id, phone)
    db.session.add(row)
    db.session.flush()
    audit.record("message.sent", row, after={"template": template_name, "version": version.number},
                 label=f"WhatsApp message {row.id}")  # fmt: skip
    enqueue("messaging.send_one", unique_key=f"messaging.send_one:{row.id}", message_id=row.id)
    return row


def _approved(name: str) -> TemplateVersion:
    template = queries.find_whatsapp_by_name(name)
    if template is None:
        raise NotFound("There is no active WhatsApp template of this name.", field="template")
    version = templates.version_to_send(template)
    if version.approval != Approval.APPROVED:
        raise ValidationFailed(
            f"template: WhatsApp has not approved it; it is {version.approval}.", field="template",
            provided=version.approval, expected="approved",
        )  # fmt: skip
    return version


def _check_names(parameters: Mapping[str, Any], text: Compiled) -> None:
    unknown = [name for name in parameters if name not in text.names]
    if unknown:
        raise ValidationFailed(
            f"parameters: the template does not use {', '.join(unknown)}.", field="parameters", unknown=unknown,
            expected=text.names,
        )  # fmt: skip


def _person_to_write_to(phone: str) -> Any:
    person = template_people.find_by_phone(phone)
    if person is None or consent.states_of(person.id).get(_CHANNEL) != _GRANTED:
        raise ValidationFailed("to: this person did not agree to WhatsApp messages.", field="to", reason="no_consent")
    suppressed = db.session.scalars(
        select(Suppression).where(Suppression.channel == _CHANNEL, Suppression.address == phone)
    ).one_or_none()
    if suppressed is not None:
        raise ValidationFailed("to: this number cannot be reached on WhatsApp.", field="to", reason=suppressed.reason)
    return person


def _with(values: PersonValues, parameters: Mapping[str, Any]) -> PersonValues:
    """What the caller says outweighs what is known."""
    company = plain(parameters.get("company")) or values.company
    return replace(values, traits={**values.traits, **parameters}, company=company)


def _message(version: TemplateVersion, text: Compiled, values: PersonValues, person_id: int, phone: str) -> Message:
    try:
        body, variables = text.render(values), content_variables(text, values)
    except MissingVariable as error:
        raise ValidationFailed(
            f"parameters: {error.name} has no value and the text no fallback.", field="parameters",
            missing=text.missing(values),
        ) from None  # fmt: skip
    return Message(
        profile_id=person_id, channel=_CHANNEL, address=phone, sender=accounts.get_sender(_CHANNEL).address,
        body=body, content={"sid": version.content_sid, "variables": variables},
    )  # fmt: skip
