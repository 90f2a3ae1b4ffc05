"""What became of messages, as the provider reports it: noted at once, applied in batches, never backwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from app.cdp.queries.lists import ids_in, texts_in
from app.cdp.services.bulk import insert_rows
from app.cdp.services.recording import Fact
from app.core.clock import utc_now
from app.core.db import db
from app.core.events import emit
from app.core.jobs import enqueue
from app.core.logs import get_logger
from app.core.tenancy import current_tenant_id, platform_scope, tenant_scope
from app.messaging.events import ThreadMoved
from app.messaging.models import REACHED, Message, MessageState, Receipt
from app.messaging.services import delivery_reference, message_events, retries, tallies
from app.messaging.services.callbacks import Call, Origin
from app.messaging.services.receipt_reactions import react
from app.messaging.services.receipt_rules import STATES, Fate, Report, settle
from app.messaging.services.tallies import Shift

log = get_logger()
BATCH = 500
UNKNOWN_FOR = timedelta(minutes=10)  # our own record may be about to be written
JOB = "messaging.apply_receipts"
_messages: Any = Message.__table__
_receipts: Any = Receipt.__table__
_CHANGED = ("state", "reason", "sid", "earlier_sids", "claim", "due_at", "error_code", "sent_at", "delivered_at",
            "ended_at")  # fmt: skip
_CHANGE = (
    update(_messages)
    .where(_messages.c.id == bindparam("of_id"))
    .values({name: bindparam(f"to_{name}", type_=_messages.c[name].type) for name in _CHANGED})
)
_TOLD = {
    MessageState.DELIVERED: message_events.DELIVERED, MessageState.READ: message_events.READ,
    MessageState.UNDELIVERED: message_events.FAILED, MessageState.FAILED: message_events.FAILED,
}  # fmt: skip
_NOTED = ("tenant_id", "sid", "status", "error_code", "message_id", "received_at")


def note(call: Call, origin: Origin) -> bool:
    """Keep the report until a job applies it; False for a message we do not know (yet)."""
    sid = (call.get("MessageSid") or call.get("SmsSid"))[:40]
    status = call.get("MessageStatus") or call.get("SmsStatus")
    if status not in STATES or not sid:
        log.info("receipt_of_no_use", status=status[:20])
        return True
    message_id = delivery_reference.read(call.query("ref"))
    found = _find(message_id, sid)
    if found is None and message_id is None:
        return False
    if found is None or not origin.may_speak_of(found.tenant_id):
        log.warning("receipt_for_nobody", sid=sid)
        return True
    code = call.get("ErrorCode")
    with tenant_scope(found.tenant_id):
        known_code = int(code) if code.isascii() and code.isdecimal() and len(code) < 8 else None
        insert_rows(_receipts, _NOTED, [(found.tenant_id, sid, status, known_code, found.id, call.received_at)])
        enqueue("messaging.apply_receipts", unique_key=JOB)
    return True


def _find(message_id: int | None, sid: str) -> Any:
    """The message meant: by our own reference, else by the provider's id."""
    mine = _messages.c.id == message_id if message_id is not None else _messages.c.sid == sid
    with platform_scope():  # the call names a message, and that is what leads to the tenant
        return db.session.execute(select(_messages.c.id, _messages.c.tenant_id).where(mine)).first()


def apply_batch() -> int:
    """Apply the acting tenant's oldest receipts and remove them, all in the current unit of work; how many there were.

    A fixed number of statements, however many receipts. Two workers take different ones.
    """
    rows = db.session.execute(
        select(_receipts)
        .where(_receipts.c.tenant_id == current_tenant_id())
        .order_by(_receipts.c.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return 0
    write([fate for fate in _fates(rows) if fate.is_changed])
    done = _receipts.c.id.in_(ids_in(row.id for row in rows)) & (_receipts.c.tenant_id == current_tenant_id())
    db.session.execute(delete(_receipts).where(done))
    return len(rows)


def _fates(rows: Sequence[Any]) -> list[Fate]:
    """Each message with what its reports make of it, in the order they came."""
    messages = db.session.execute(
        select(_messages)
        .where(
            _messages.c.tenant_id == current_tenant_id(),
            _messages.c.id.in_(ids_in(sorted({row.message_id for row in rows if row.message_id}))),
        )
        .order_by(_messages.c.id + 0)  # a sum: the ids lead, and locks are taken in one order
        .with_for_update()
    )
    fates = {row.id: Fate.of(row) for row in messages}
    taken = _sids_of_others(rows, fates)
    live = retries.still_open(fate.campaign_id for fate in fates.values())
    for row in rows:
        fate = fates.get(row.message_id or 0)
        if fate is None or (row.sid != fate.sid and row.sid in taken):
            log.warning("receipt_for_nobody", sid=row.sid)
            continue
        may_retry = fate.campaign_id is None or fate.campaign_id in live
        settle(fate, Report(row.sid, row.status, row.error_code, row.received_at), may_retry=may_retry)
    return list(fates.values())


def write(fates: Sequence[Fate]) -> None:
    """The messages as their reports leave them, counted, told in timelines, and acted on."""
    if not fates:
        return
    rows = [{f"to_{name}": getattr(fate, name) for name in _CHANGED} | {"of_id": fate.id} for fate in fates]
    db.session.connection().execute(_CHANGE, rows)
    tallies.shift(_shift(fate) for fate in fates)
    message_events.record(fact for fate in fates for fact in _facts(fate))
    react(fates, utc_now())
    for thread_id in sorted({fate.thread_id for fate in fates if fate.thread_id is not None}):
        emit(ThreadMoved(current_tenant_id(), thread_id))


def _shift(fate: Fate) -> Shift:
    """The change, with the seconds it took when it is the one that says the message arrived."""
    took, arrives = 0.0, fate.state in REACHED and fate.before[0] not in REACHED
    if arrives and fate.sent_at is not None and fate.delivered_at is not None:
        took = max(0.0, (fate.delivered_at - fate.sent_at).total_seconds())
    changed = (*fate.before, fate.state, fate.reason)
    sent_at = fate.counted_at or fate.sent_at
    return Shift(fate.campaign_id, fate.variant_id, *changed, seconds=took, address=fate.address, sent_at=sent_at)


def _facts(fate: Fate) -> Iterator[Fact]:
    """What stands in the person's timeline; a try that is made again is not told."""
    for state, at in fate.reached if fate.profile_id is not None else ():
        name = _TOLD.get(state)
        if name:
            told = {"channel": fate.channel, "campaign_id": fate.campaign_id}
            if name == message_events.FAILED:
                told |= {"reason": fate.reason, "code": fate.error_code}
            yield message_events.fact(name, fate.profile_id or 0, at, str(fate.id), **told)


def _sids_of_others(rows: Sequence[Any], fates: dict[int, Fate]) -> set[str]:
    """Ids that belong to another message already: whoever names one for his own is not believed."""
    open_sids = {row.sid for row in rows if row.message_id in fates and row.sid != fates[row.message_id].sid}
    if not open_sids:
        return set()
    with platform_scope():  # an id is the provider's and stands once in the whole installation
        return set(db.session.scalars(select(_messages.c.sid).where(_messages.c.sid.in_(texts_in(sorted(open_sids))))))
