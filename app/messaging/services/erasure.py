"""What messages leave behind when a person is erased: counts, and a no that is still obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import String, cast, literal, select, update

from app.cdp.queries.lists import ids_in
from app.core.clock import utc_now
from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import InboundKind, InboundMessage, Message, MessageThread, Skip, ThreadState
from app.messaging.queries.people import message_ids
from app.messaging.services import opt_outs, suppressions

_messages: Any = Message.__table__
_threads: Any = MessageThread.__table__
_inbound: Any = InboundMessage.__table__
CHANNELS = ("sms", "whatsapp")


def erase_people(profile_ids: Sequence[int], refused: Iterable[tuple[str, str]]) -> None:
    """Blank numbers and texts of these profiles of one person; what waits for them is skipped, counts stay.

    A number that refused a channel, or said STOP there, is remembered by itself: whoever brings it back must not
    write to it. Texts they wrote are blanked and not removed, so that figures of past days stay what they were.
    """
    suppressions.remember_stops([*refused, *_stopped(profile_ids)])
    for channel in CHANNELS:
        opt_outs.skip_pending(channel, [], profile_ids, Skip.GONE, utc_now())
    of_them = _messages.c.id.in_(message_ids(profile_ids)) & (_messages.c.tenant_id == current_tenant_id())
    db.session.execute(update(_messages).where(of_them).values(profile_id=None, address="", body=None, content=None))
    for table, values in (
        (_inbound, {"profile_id": None, "address": "", "body": "", "media": []}),
        (_threads, {"profile_id": None, "address": _nobody(), "preview": "", "unread": 0, "state": ThreadState.CLOSED}),
    ):
        db.session.execute(update(table).where(_theirs(table, profile_ids)).values(**values))


def _nobody() -> Any:
    """A talk is known by its number: without one it needs another name that no other talk has."""
    return literal("erased ") + cast(_threads.c.id, String)


def _theirs(table: Any, profile_ids: Iterable[int]) -> Any:
    return (table.c.tenant_id + 0 == current_tenant_id()) & table.c.profile_id.in_(ids_in(profile_ids))


def _stopped(profile_ids: Iterable[int]) -> list[tuple[str, str]]:
    """Channel and number of each number whose last word was STOP."""
    words = (InboundKind.STOP, InboundKind.START)
    rows = db.session.execute(
        select(_inbound.c.channel, _inbound.c.address, _inbound.c.kind)
        .where(_theirs(_inbound, profile_ids), _inbound.c.kind.in_(words))
        .order_by(_inbound.c.received_at, _inbound.c.id)
    )
    last = {(channel, address): kind for channel, address, kind in rows if address}
    return [place for place, kind in last.items() if kind == InboundKind.STOP]
