"""Whose is a message that came in: found by the sender it was written to, and on a shared one by who wrote last."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, column, func, select, table, text

from app.cdp.queries.lists import ids_in
from app.core.config import get_settings
from app.core.db import db
from app.core.tenancy import platform_scope
from app.messaging.models import InboundKind, Message, MessageChannel, MessageSender, MessageThread, MessagingAccount
from app.messaging.services.callbacks import Origin

_identities = table("identities", column("tenant_id"), column("profile_id"), column("kind"), column("value"))
_tenants = table("tenants", column("id"), column("is_active"))
_messages: Any = Message.__table__
_IN_HAND = text("messages.state IN ('claimed', 'unknown') AND messages.claimed_at IS NOT NULL")
_threads: Any = MessageThread.__table__


def owners_of(channel: str, address: str, senders: Collection[str], origin: Origin, kind: InboundKind) -> list[int]:
    """The tenants a message from `address` to these senders is for.

    A text on a sender that several use goes to the tenant who wrote to that person last; a STOP to all who did, since
    the provider blocks the sender for all of them, and where nobody did to all who know the number: they could be next.
    Nobody is guessed: any other text without a trace is nobody's.
    """
    with platform_scope():  # the call names a number, and that is what leads to the tenant
        candidates = _candidates(origin)
        claimed = [one for one in _claims(channel, senders) if one in candidates]
        is_ours_alone = len(claimed) == 1 and not _is_installations(channel, senders, origin)
        if is_ours_alone:
            return claimed
        if claimed and not origin.is_shared:
            return claimed
        wrote = _who_wrote(candidates, channel, address, senders)
        if wrote:
            return wrote if kind in (InboundKind.STOP, InboundKind.START) else wrote[:1]
        if kind == InboundKind.STOP and (knowing := _who_knows(candidates, address)):
            return knowing
        return sorted(candidates) if len(candidates) == 1 else []


def _candidates(origin: Origin) -> set[int]:
    if not origin.is_shared:
        return set(origin.tenant_ids)
    have_own = select(MessagingAccount.tenant_id)
    rows = db.session.scalars(select(_tenants.c.id).where(_tenants.c.id.not_in(have_own)))
    return {*rows, *origin.tenant_ids}


def _claims(channel: str, senders: Collection[str]) -> list[int]:
    rows = db.session.scalars(
        select(MessageSender.tenant_id)
        .where(MessageSender.channel == channel, MessageSender.address.in_(senders))
        .distinct()
    )
    return sorted(rows)


def _is_installations(channel: str, senders: Collection[str], origin: Origin) -> bool:
    """The sender that everyone without one writes by: a tenant that enters it as its own gets nobody else's mail."""
    settings = get_settings()
    shared = settings.twilio_whatsapp_sender if channel == MessageChannel.WHATSAPP else settings.twilio_sms_sender
    return origin.is_shared and bool(shared) and shared in senders


def _with_number(candidates: set[int], address: str) -> Select[Any]:
    """Tenant and profile of everyone who has this number."""
    return select(_identities.c.tenant_id, _identities.c.profile_id).where(
        _identities.c.tenant_id.in_(ids_in(candidates)), _identities.c.kind == "phone", _identities.c.value == address
    )


def _who_knows(candidates: set[int], address: str) -> list[int]:
    return sorted({row.tenant_id for row in db.session.execute(_with_number(candidates, address))})


def _who_wrote(candidates: set[int], channel: str, address: str, senders: Collection[str]) -> list[int]:
    """Those of them who wrote to this number by one of the senders, or may have, the latest first.

    What is in hand or in doubt counts as written, with no sender noted yet as if by one of these: it may have arrived.
    """
    people = _with_number(candidates, address).subquery()
    theirs = (people.c.profile_id == _messages.c.profile_id) & (people.c.tenant_id == _messages.c.tenant_id)
    sent = (
        select(_messages.c.tenant_id, func.max(_messages.c.sent_at))
        .join(people, theirs)
        .where(_messages.c.channel == channel, _messages.c.sender.in_(senders), _messages.c.sent_at.is_not(None))
        .group_by(_messages.c.tenant_id)
    )
    in_hand = (
        select(_messages.c.tenant_id, func.max(_messages.c.claimed_at))
        .join(people, theirs)
        .where(_IN_HAND, _messages.c.channel == channel, _messages.c.sender.in_(["", *senders]))
        .group_by(_messages.c.tenant_id)
    )
    talks = select(_threads.c.tenant_id, _threads.c.last_at).where(
        _threads.c.tenant_id.in_(ids_in(candidates)), _threads.c.channel == channel, _threads.c.address == address,
        _threads.c.sender.in_(senders),
    )  # fmt: skip
    latest: dict[int, Any] = {}
    for tenant_id, at in (*db.session.execute(sent), *db.session.execute(in_hand), *db.session.execute(talks)):
        latest[tenant_id] = max(at, latest.get(tenant_id, at))
    return sorted(latest, key=lambda one: latest[one], reverse=True)
