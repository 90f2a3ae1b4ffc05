"""An event is delivered after its commit, at least once, or never when it was rolled back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.core import events
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.events import Event, OutboxRow, emit, relay_outbox, subscribe


@dataclass(frozen=True)
class KettleBoiled(Event):
    cups: int = 1


@pytest.fixture
def heard():
    """What a subscriber heard; the subscription ends with the test."""
    found: list[int] = []
    subscribe(KettleBoiled)(lambda event: found.append(event.cups))
    yield found
    events._subscribers.pop("KettleBoiled", None)


@pytest.fixture
def as_tenant(in_tenant, member):
    with in_tenant(member.tenant_id):
        yield member.tenant_id


def left() -> int:
    return len(db.session.scalars(select(OutboxRow)).all())


def make_due() -> None:
    with unit_of_work():
        db.session.execute(update(OutboxRow).values(due_at=utc_now() - timedelta(seconds=1)))


def test_an_event_is_delivered_once_its_commit_is_done(as_tenant, heard):
    with unit_of_work():
        emit(KettleBoiled(as_tenant, cups=3))
        assert heard == []
    assert heard == [3]
    assert left() == 0


def test_an_event_of_a_failed_unit_of_work_never_happened(as_tenant, heard):
    with pytest.raises(ZeroDivisionError), unit_of_work():
        emit(KettleBoiled(as_tenant))
        raise ZeroDivisionError
    with unit_of_work():
        pass
    assert (heard, left()) == ([], 0)


def test_an_event_whose_process_died_after_the_commit_is_delivered_by_the_relay(as_tenant, heard, monkeypatch):
    with monkeypatch.context() as crash:
        crash.setattr(events, "_deliver", lambda *_: None)
        with unit_of_work():
            emit(KettleBoiled(as_tenant, cups=2))
    assert (heard, left()) == ([], 1)
    relay_outbox()
    assert heard == []  # not due yet: its own process may still be at it
    make_due()
    relay_outbox()
    assert (heard, left()) == ([2], 0)


def test_a_subscriber_that_fails_is_asked_again(as_tenant, heard):
    @subscribe(KettleBoiled)
    def clumsy(event: KettleBoiled) -> None:
        if len(heard) < 2:
            raise ZeroDivisionError

    with unit_of_work():
        emit(KettleBoiled(as_tenant, cups=4))
    assert (heard, left()) == ([4], 1)
    make_due()
    relay_outbox()
    assert (heard, left()) == ([4, 4], 0)


def test_a_subscriber_that_gives_the_session_back_does_not_stop_the_next_event(as_tenant, heard):
    @subscribe(KettleBoiled)
    def careless(event: KettleBoiled) -> None:
        db.session.remove()

    with unit_of_work():
        emit(KettleBoiled(as_tenant, cups=1))
        emit(KettleBoiled(as_tenant, cups=2))
    assert (heard, left()) == ([1, 2], 0)


def test_an_event_nobody_can_read_any_more_does_not_hold_up_the_others(as_tenant, heard):
    with unit_of_work():
        for name, payload in (
            ("KettleBoiled", {"tenant_id": as_tenant, "of_another_release": 1}),
            ("Forgotten", {"tenant_id": as_tenant}),
            ("KettleBoiled", {"tenant_id": as_tenant, "cups": 9}),
        ):
            db.session.add(OutboxRow(tenant_id=as_tenant, name=name, payload=payload))
    make_due()
    relay_outbox()
    assert heard == [9]
    assert left() == 1


def test_whoever_hears_everything_can_tell_a_repeat_from_another_event(as_tenant, heard, monkeypatch):
    told: list[events.Emitted] = []
    monkeypatch.setattr(events, "_listeners", [])
    events.subscribe_to_all(told.append)
    with monkeypatch.context() as crash:
        crash.setattr(events, "_forget", lambda _: None)
        with unit_of_work():
            emit(KettleBoiled(as_tenant, cups=1))
    make_due()
    relay_outbox()
    with unit_of_work():
        emit(KettleBoiled(as_tenant, cups=1))
    first, repeat, another = told
    assert (first.id, first.at, first.event) == (repeat.id, repeat.at, repeat.event)
    assert another.id != first.id


def test_an_event_is_heard_as_its_own_tenant(as_tenant, heard):
    from app.core.tenancy import current_tenant_id, platform_scope

    tenants = []
    subscribe(KettleBoiled)(lambda event: tenants.append(current_tenant_id()))
    with platform_scope(), unit_of_work():
        emit(KettleBoiled(as_tenant))
    assert tenants == [as_tenant]
