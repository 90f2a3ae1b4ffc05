"""An approved WhatsApp text into a talk: what one may write once the person has not written for 24 hours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.errors import InvalidTransition
from app.messaging.models import Message, MessageChannel, MessageThread, TemplateVersion
from app.messaging.services import single_sends, template_people, threads
from app.messaging.services.rendering import compiled
from app.messaging.services.template_people import Shown

NOT_AGREED = (
    "This person has not agreed to WhatsApp messages, so no template may be sent either. Wait until they write again."
)
UNREACHABLE = "WhatsApp cannot reach this number: the provider refused it before."


def find_refusal(thread: MessageThread) -> str:
    """Why not even an approved text may go into this talk, in words; empty when one may. Consent and STOP count as
    they do for every text WhatsApp approves."""
    if thread.channel != MessageChannel.WHATSAPP:
        return "Templates are approved for WhatsApp only. Answer in your own words."
    said = threads.find_no(thread)
    if said:
        return said
    _, reason = single_sends.look_up(thread.address)
    return {"": "", "no_consent": NOT_AGREED}.get(reason, UNREACHABLE)


def show(thread: MessageThread, version: TemplateVersion, parameters: Mapping[str, Any]) -> Shown:
    """The text as the person of the talk would read it; what is missing stands in brackets."""
    person, _ = single_sends.look_up(thread.address)
    text = compiled(version)
    return template_people.show(text, single_sends.values_for(person, text, parameters))


def send(
    thread_id: int, template_name: str, parameters: Mapping[str, Any], token: str, *, user_id: int | None
) -> Message:
    """Send it from the number they wrote to; the same token again gives the same message. Refused like a single send.

    Who sends has taken the talk, if nobody had.
    """
    thread = threads.get_thread(thread_id, for_update=True)
    sent = threads.find_sent(thread, token)
    if sent is not None:
        return sent
    refusal = find_refusal(thread)
    if refusal:
        raise InvalidTransition(refusal)
    version = single_sends.approved(template_name)
    person, _ = single_sends.look_up(thread.address)
    row = single_sends.compose(thread.address, person, version, parameters, thread.sender)
    row.thread_id, row.token, row.segments = thread.id, token, 1
    single_sends.leave(row, template_name, version)
    threads.note_answer(thread, row.body or "", user_id)
    return row
