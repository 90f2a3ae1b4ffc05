"""Receipts applied in the background, and calls that had to wait taken up again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.cdp.services import ingestion
from app.core.clock import utc_now
from app.core.db import db, release_connection, unit_of_work
from app.core.errors import PermissionDenied
from app.core.jobs import Queue, enqueue, job
from app.core.logs import get_logger
from app.core.schedule import periodic
from app.core.tenancy import tenant_scope
from app.messaging.models import Receipt
from app.messaging.services import callbacks, inbound, receipts
from app.messaging.services.callbacks import DATABASE_AWAY, Call

log = get_logger()
KEPT_FOR = timedelta(days=1)  # then a call that we cannot do is given up


@job("messaging.apply_receipts", queue=Queue.DEFAULT, max_attempts=5, timeout=1800)
def apply_receipts() -> None:
    """Apply the tenant's receipts until none waits; each step is one transaction, so a killed worker loses none."""
    while True:
        with unit_of_work():
            count = receipts.apply_batch()
        release_connection()
        if not count:
            return


@periodic("messaging.wake_receipts", every_seconds=5)
def wake_receipts() -> None:
    """A receipt noted while the job was just ending is applied all the same."""
    for tenant_id in db.session.scalars(select(Receipt.tenant_id).distinct()).all():
        with tenant_scope(tenant_id), unit_of_work():
            enqueue("messaging.apply_receipts", unique_key=receipts.JOB)


@periodic("messaging.take_held_callbacks", every_seconds=5)
def take_held_callbacks() -> None:
    """Take up the calls that came while the database was away, or before we knew their message. The first that meets
    a database that is still away ends the round; none is forgotten before it is done."""
    for text, call in callbacks.held():
        try:
            is_done = take_up(call)
        except DATABASE_AWAY:
            raise
        except Exception as error:  # one that cannot be done keeps nobody else waiting
            db.session.rollback()
            log.error("held_callback_failed", kind=call.kind, exc_info=error)
            is_done = utc_now() - call.received_at > KEPT_FOR
        (callbacks.forget if is_done else callbacks.put_back)(text)


def take_up(call: Call) -> bool:
    """Do what the call says, as its address would have; False when it should wait on."""
    try:
        origin = callbacks.origin_of(call)
    except PermissionDenied:
        log.warning("callback_refused", kind=call.kind)
        return True
    if call.kind == callbacks.INBOUND:
        ingestion.in_turns(lambda: inbound.take(call, origin)).settle()
        return True
    with unit_of_work():
        is_known = receipts.note(call, origin)
    if not is_known and utc_now() - call.received_at > receipts.UNKNOWN_FOR:
        log.warning("receipt_for_nobody", sid=call.get("MessageSid")[:40])
        return True
    return is_known
