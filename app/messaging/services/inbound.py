"""A message that came in: a STOP, START or HELP is done as asked, anything else is a talk in the inbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.cdp.services import identity, ingestion, ingestion_rows
from app.cdp.services.identity_rules import load_rules
from app.cdp.services.ingestion_rows import RowRefused
from app.core.db import db
from app.core.logs import get_logger
from app.core.tenancy import platform_scope, tenant_scope
from app.messaging.models import InboundKind, InboundMessage, Message
from app.messaging.queries.threads import workspace_name
from app.messaging.services import gate_closing, keywords, message_events, opt_outs, routing, rules, threads
from app.messaging.services.callbacks import Call, Origin
from app.messaging.services.gate import Place
from app.messaging.services.incoming import Incoming, read
from app.messaging.services.keywords import Keyword
from app.messaging.services.threads import Talk

log = get_logger()
ANSWERS_WITHIN = timedelta(days=7)
HELP_TEXT = "This is {name}. Write your question here and someone will answer. Write STOP to get no more messages."


@dataclass(frozen=True)
class Taken:
    """What is answered, and what must be told to those who send before the answer leaves."""

    reply: str = ""
    channel: str = ""
    at: datetime | None = None  # when they wrote it: what was said later stays
    stopped: tuple[Place, ...] = ()
    restarted: tuple[Place, ...] = ()

    def settle(self) -> None:
        """Once committed: nothing leaves for who said STOP after this returns."""
        if self.at is not None:
            gate_closing.open_gates(self.restarted, self.channel, self.at)
            gate_closing.close_gates(self.stopped, self.channel, self.at)


@dataclass(frozen=True)
class _Done:
    """What a message turned out to be for one tenant; `row_id` is 0 where it is kept by another."""

    kind: InboundKind
    row_id: int
    at: datetime
    reply: str
    places: tuple[Place, ...]


def take(call: Call, origin: Origin) -> Taken:
    """Do what the message asks, for every tenant it is for, in the current unit of work; a repeat changes nothing."""
    message = read(call)
    if message is None:
        log.warning("inbound_not_understood", sid=call.get("MessageSid")[:40])
        return Taken()
    asked = keywords.recognise(message.body, call.get("OptOutType"))
    owners = routing.owners_of(message.channel, message.address, message.senders, origin, asked.kind)
    if not owners:
        log.warning("inbound_for_nobody", sid=message.sid, channel=message.channel)
    if asked.kind != InboundKind.STOP:
        owners = _known_to(message.sid, owners) or owners
    done = []
    for tenant_id in owners:
        with tenant_scope(tenant_id):
            done.append(_take_for_tenant(message, asked, is_its_text=tenant_id == owners[0]))
            db.session.flush()
    done.sort(key=lambda one: one.row_id)  # a repeat finds the owners in another order, and is answered alike
    return Taken(
        next((one.reply for one in done if one.reply), ""),
        message.channel,
        min((one.at for one in done), default=None),
        tuple(place for one in done if one.kind == InboundKind.STOP for place in one.places),
        tuple(place for one in done if one.kind == InboundKind.START for place in one.places),
    )


def _known_to(sid: str, owners: list[int]) -> list[int]:
    """Those of them who have heard it before: then it is a repeat, and for the others it never meant anything."""
    with platform_scope():
        of_them = (InboundMessage.tenant_id.in_(owners), InboundMessage.sid == sid)
        known = set(db.session.scalars(select(InboundMessage.tenant_id).where(*of_them)))
    return [one for one in owners if one in known]


def _take_for_tenant(message: Incoming, asked: Keyword, *, is_its_text: bool) -> _Done:
    known = db.session.scalars(select(InboundMessage).where(InboundMessage.sid == message.sid)).one_or_none()
    profile_id = known.profile_id if known is not None else _person_of(message)
    kind = InboundKind(known.kind) if known is not None else _do(message, asked.kind, profile_id)
    if known is None and (kind != InboundKind.TEXT or is_its_text):
        known = _keep(message, kind, profile_id)
    reply = _reply(message, Keyword(kind, asked.language), profile_id)
    row_id, at = (known.id, known.received_at) if known is not None else (0, message.call.received_at)
    return _Done(kind, row_id, at, reply, _places(message, kind, profile_id))


def _places(message: Incoming, kind: InboundKind, profile_id: int | None) -> tuple[Place, ...]:
    """Where the gate opens or closes. A STOP that is heard again after a START closes nothing."""
    if kind not in (InboundKind.STOP, InboundKind.START):
        return ()
    if kind == InboundKind.STOP and profile_id is not None and not opt_outs.is_denied(profile_id, message.channel):
        return ()
    return tuple(opt_outs.places_of(profile_id, message.address))


def _do(message: Incoming, kind: InboundKind, profile_id: int | None) -> InboundKind:
    """What it turned out to be: a START with nothing to lift is an ordinary text, and that is for one tenant only."""
    at = message.call.received_at
    if kind == InboundKind.STOP and profile_id is not None:
        opt_outs.withdraw(profile_id, message.channel, message.address, message.evidence, at)
    elif kind == InboundKind.START and (
        profile_id is None or not opt_outs.give_back(profile_id, message.channel, message.address, message.evidence, at)
    ):
        return InboundKind.TEXT
    return kind


def _keep(message: Incoming, kind: InboundKind, profile_id: int | None) -> InboundMessage:
    at = message.call.received_at
    thread = threads.receive(
        Talk(message.channel, message.address, message.sender, profile_id),
        preview=message.body or _words_for(message.media), at=at, is_text=kind in (InboundKind.TEXT, InboundKind.HELP),
    )  # fmt: skip
    answered = _answered_message(message, profile_id)
    row = InboundMessage(
        thread_id=thread.id, profile_id=profile_id, message_id=answered, channel=message.channel,
        address=message.address, sender=message.sender, body=message.body, media=message.media, kind=kind,
        sid=message.sid, received_at=at,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    if profile_id is not None:
        name = {InboundKind.STOP: message_events.STOPPED, InboundKind.START: message_events.STARTED}
        event = name.get(kind, message_events.RECEIVED)
        told = {"channel": message.channel, "sender": message.sender, "body": message.body[:500]}
        message_events.record([message_events.fact(event, profile_id, at, message.sid, **told)])
    return row


def _words_for(media: list[dict[str, str]]) -> str:
    return "Sent a picture" if media and media[0]["type"].startswith("image/") else "Sent a file" if media else ""


def _person_of(message: Incoming) -> int | None:
    """Who has this number, made when nobody has; None for a sender that is no phone."""
    number, now = ("phone", message.address), message.call.received_at
    known = identity.find_known([number], now).get(number)
    if known is not None:
        return known.profile_id
    name = message.call.get("ProfileName").strip()[:100]
    raw = {"phone": message.address, "traits": {"name": name} if name else {}}
    owned = load_rules()
    try:
        row = ingestion_rows.clean(raw, owned, now, is_person=True)
    except RowRefused:
        return None
    return ingestion.accept([row], owned, now, source="message")[0].profile_id


def _answered_message(message: Incoming, profile_id: int | None) -> int | None:
    """The one they replied to, where WhatsApp says it, else the campaign's last one to them in a week."""
    replied_to = message.call.get("OriginalRepliedMessageSid")
    if replied_to:
        found = db.session.scalar(select(Message.id).where(Message.sid == replied_to))
        if found is not None:
            return found
    since = message.call.received_at - ANSWERS_WITHIN
    return db.session.scalar(
        select(Message.id)
        .where(
            Message.profile_id == profile_id, Message.channel == message.channel, Message.sent_at >= since,
            Message.campaign_id.is_not(None), Message.address == message.address,
        )
        .order_by(Message.sent_at.desc())
        .limit(1)
    )  # fmt: skip


def _reply(message: Incoming, done: Keyword, profile_id: int | None) -> str:
    """What we answer at once: nothing where the provider does, and nothing to who has been told before that they get
    no more."""
    if done.kind == InboundKind.TEXT or message.is_answered_already:
        return ""
    name = workspace_name()
    if done.kind == InboundKind.HELP:
        return rules.load().help_text or HELP_TEXT.replace("{name}", name)
    if done.kind == InboundKind.STOP and not _is_news(message, profile_id):
        return ""
    return done.confirmation(name)


def _is_news(message: Incoming, profile_id: int | None) -> bool:
    return profile_id is not None and opt_outs.is_news(profile_id, message.channel, message.sid)
