"""Hearing of events, sending what is due, and the periodic work around it."""

from __future__ import annotations

import time

from app.core.db import release_connection, unit_of_work
from app.core.events import Emitted, subscribe_to_all
from app.core.jobs import Queue, job, worker_stopping
from app.core.jobs_run import progress
from app.core.schedule import periodic
from app.core.sse import publish
from app.core.tenancy import tenant_scope
from app.webhooks import queries
from app.webhooks.services import deliveries, endpoints, telling, upkeep

TURN_SECONDS = 20.0
SLOW_MS = 2000


@subscribe_to_all
def tell_endpoints(emitted: Emitted) -> None:
    """Make the deliveries of an event. Hearing of it twice makes none twice."""
    told = telling.find_told(emitted)
    if told is None:
        return
    listeners = telling.list_listeners(told.event_type)
    if listeners:
        with unit_of_work():
            telling.keep(told, listeners)


@job("webhooks.send_due", queue=Queue.DEFAULT, timeout=120)
def send_due(endpoint_id: int) -> None:
    """Send what is due, one after the other. Others get their turn after 20 seconds, or at once when this one is slow
    or away; the sweep goes on with the rest."""
    ends_at = time.monotonic() + TURN_SECONDS
    has_sent = False
    while time.monotonic() < ends_at and not worker_stopping.is_set():
        with unit_of_work():
            parcel = deliveries.claim(endpoint_id)
        if parcel is None:
            break
        release_connection()
        answer = deliveries.send(parcel)
        with unit_of_work():
            deliveries.record(parcel, answer)
        has_sent = True
        if answer.took_ms > SLOW_MS:
            break
    if has_sent:
        publish("audience", f"webhook-{endpoint_id}", {"webhook_id": endpoint_id})


@job("webhooks.forget_person", queue=Queue.BULK, timeout=1800)
def forget_person(profile_id: int) -> None:
    """In steps of their own transactions; running twice changes nothing."""
    after_id, done = 0, 0
    while True:
        with unit_of_work():
            rows = upkeep.list_naming(profile_id, after_id)
            after_id = rows[-1].id if rows else after_id
            upkeep.forget(rows, profile_id)
        if not rows:
            return
        done += len(rows)
        progress(done, done + 1)


@periodic("webhooks.sweep", every_seconds=5)
def sweep() -> None:
    """Across tenants: have sent what is due again, what a dead worker held, and what a turn left over."""
    for tenant_id, endpoint_id in queries.list_due():
        with tenant_scope(tenant_id), unit_of_work():
            endpoints.ask_to_send(endpoint_id)


@periodic("webhooks.purge", every_seconds=3600, queue=Queue.BULK)
def purge() -> None:
    """Across tenants: forget deliveries of over 30 days ago."""
    while True:
        with unit_of_work():
            if not upkeep.purge():
                return
