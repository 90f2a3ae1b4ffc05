"""A campaign's text sent to one number, to see it on a phone."""

from __future__ import annotations

from sqlalchemy import select

from app.core.db import db
from app.core.errors import ValidationFailed
from app.messaging.models import Message, Skip, TemplateVersion
from app.messaging.services import accounts, delivery, plans, suppressions, template_people
from app.messaging.services.campaigns import get
from app.messaging.services.delivery_people import people_by_number
from app.messaging.services.recipients import list_variants
from app.messaging.services.rendering import MissingVariable, PersonRow, values_of
from app.messaging.services.whatsapp_content import content_variables


def send(campaign_id: int, number: str, variant_id: int | None = None) -> Message:
    """Send one of the campaign's texts to a number, with that person's values, or examples where nobody has it.

    Somebody who said no gets none, even as a test, and no number a STOP is remembered of.
    """
    campaign = get(campaign_id)
    variants = list_variants(campaign.id)
    chosen = next((one for one in variants if variant_id in (None, one.id)), None)
    if chosen is None:
        raise ValidationFailed("variant: there is no such variant.", field="variant")
    version = db.session.scalars(select(TemplateVersion).where(TemplateVersion.id == chosen.version_id)).one()
    text, workspace = plans.text_of(version, campaign.channel), plans.workspace()
    person = people_by_number(number, campaign.channel)
    is_no = person is not None and person.state == "denied"
    if is_no or suppressions.is_stopped(campaign.channel, number):
        raise ValidationFailed("This person said STOP, or no. No test is sent to them.", field="phone",
                               provided=number, expected="a number that agreed", reason=Skip.STOP)  # fmt: skip
    known = PersonRow(person.traits or {}, person.name, number) if person is not None else PersonRow({}, "", number)
    figures = template_people.computed_values([person.id], text.compiled.names) if person is not None else {}
    values = values_of(known, workspace.name, figures.get(person.id) if person is not None else None)
    try:
        body = text.compiled.render(values)
        content = {"sid": text.content_sid, "variables": content_variables(text.compiled, values)}
    except MissingVariable as error:
        raise ValidationFailed(f"This person has no value for {error.name}.", field="phone", provided=number,
                               expected=f"a person with {error.name}, or a fallback in the text") from None  # fmt: skip
    sender = accounts.get_sender(campaign.channel, campaign.sender_id)
    row = Message(
        profile_id=person.id if person is not None else None, channel=campaign.channel, address=number, body=body,
        sender=sender.address, content=content if text.content_sid else None,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    delivery.send_soon(row)
    return row
