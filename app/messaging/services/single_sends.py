"""One approved WhatsApp text to one person, by a program or into a talk: looked at as strictly as a campaign's."""

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
    version = approved(template_name)
    _check_names(parameters, compiled(version))
    phone = phones.read(to, "to")
    row = compose(phone, _person_to_write_to(phone), version, parameters)
    leave(row, template_name, version)
    return row


def approved(name: str) -> TemplateVersion:
    """The version of an active WhatsApp template that may be sent; refuses one WhatsApp did not approve."""
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


def look_up(phone: str) -> tuple[Any, str]:
    """Who has the number, and why no template may go to them: no_consent, or what the number is suppressed for."""
    person = template_people.find_by_phone(phone)
    if person is None or consent.states_of(person.id).get(_CHANNEL) != _GRANTED:
        return person, "no_consent"
    suppressed = db.session.scalars(
        select(Suppression).where(Suppression.channel == _CHANNEL, Suppression.address == phone)
    ).one_or_none()
    return person, suppressed.reason if suppressed is not None else ""


def values_for(person: Any, text: Compiled, parameters: Mapping[str, Any]) -> PersonValues:
    """What the text says of the person; what the caller says outweighs what is known."""
    values = template_people.values_for(person, text, template_people.tenant_name())
    company = plain(parameters.get("company")) or values.company
    return replace(values, traits={**values.traits, **parameters}, company=company)


def compose(
    phone: str, person: Any, version: TemplateVersion, parameters: Mapping[str, Any], sender: str = ""
) -> Message:
    """The message in its words, from the workspace's sender unless one is named; refuses unknown and missing values."""
    text = compiled(version)
    _check_names(parameters, text)
    values = values_for(person, text, parameters)
    try:
        body, variables = text.render(values), content_variables(text, values)
    except MissingVariable as error:
        raise ValidationFailed(
            f"parameters: {error.name} has no value and the text no fallback.", field="parameters",
            missing=text.missing(values),
        ) from None  # fmt: skip
    return Message(
        profile_id=person.id, channel=_CHANNEL, address=phone, body=body,
        sender=sender or accounts.get_sender(_CHANNEL).address,
        content={"sid": version.content_sid, "variables": variables},
    )  # fmt: skip


def leave(row: Message, template_name: str, version: TemplateVersion) -> None:
    """Keep it, note who sent it, and have a job hand it over after the commit."""
    db.session.add(row)
    db.session.flush()
    audit.record("message.sent", row, after={"template": template_name, "version": version.number},
                 label=f"WhatsApp message {row.id}")  # fmt: skip
    enqueue("messaging.send_one", unique_key=f"messaging.send_one:{row.id}", message_id=row.id)


def _check_names(parameters: Mapping[str, Any], text: Compiled) -> None:
    unknown = [name for name in parameters if name not in text.names]
    if unknown:
        raise ValidationFailed(
            f"parameters: the template does not use {', '.join(unknown)}.", field="parameters", unknown=unknown,
            expected=text.names,
        )  # fmt: skip


def _person_to_write_to(phone: str) -> Any:
    person, reason = look_up(phone)
    if reason == "no_consent":
        raise ValidationFailed("to: this person did not agree to WhatsApp messages.", field="to", reason=reason)
    if reason:
        raise ValidationFailed("to: this number cannot be reached on WhatsApp.", field="to", reason=reason)
    return person
