"""The unit of work: all or nothing, one writer after the other, effects only after the commit."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from sqlalchemy import func, select, text

from app.core import db as kernel
from app.core.db import UnitOfWorkRequired, after_commit, db, unit_of_work
from app.core.errors import Unavailable
from app.insights.models import Audience


@pytest.fixture
def as_tenant(in_tenant, member):
    with in_tenant(member.tenant_id):
        yield member.tenant_id


@pytest.fixture
def only_sqlite(app):
    if not db_is_sqlite(app):
        pytest.skip("how SQLite takes turns")


def how_many() -> int:
    return db.session.scalar(select(func.count(Audience.id))) or 0


def in_threads(function, count: int) -> list[BaseException]:
    """Run it in several threads at once; gives back what they raised."""
    errors: list[BaseException] = []

    def act(number: int) -> None:
        try:
            function(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=act, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return errors


def test_an_inner_unit_of_work_joins_the_outer(as_tenant):
    with pytest.raises(ZeroDivisionError), unit_of_work():
        with unit_of_work():
            db.session.add(Audience(name="Inner"))
        raise ZeroDivisionError
    assert how_many() == 0


def test_an_effect_waits_for_the_commit_and_is_forgotten_on_failure(as_tenant):
    seen = []
    with unit_of_work():
        with unit_of_work():
            after_commit(lambda: seen.append(how_many()))
        db.session.add(Audience(name="Kept"))
        assert seen == []
    assert seen == [1]
    with pytest.raises(ZeroDivisionError), unit_of_work():
        after_commit(lambda: seen.append("lost"))
        raise ZeroDivisionError
    with unit_of_work():
        pass
    assert seen == [1]


def test_an_effect_that_fails_stops_neither_its_fellows_nor_the_caller(as_tenant):
    seen = []
    with unit_of_work():
        after_commit(lambda: 1 // 0)
        after_commit(lambda: seen.append(1))
    assert seen == [1]


def test_an_effect_outside_a_unit_of_work_is_refused(as_tenant):
    with pytest.raises(UnitOfWorkRequired):
        after_commit(print)


def test_writers_at_the_same_moment_take_turns_and_all_succeed(app, member, in_tenant):
    def write(number: int) -> None:
        with in_tenant(member.tenant_id):
            how_many()  # what was read before must not make the write fail
            with unit_of_work():
                seen = how_many()
                time.sleep(0.01)
                db.session.add(Audience(name=f"{number} after {seen}"))

    assert in_threads(write, 8) == []
    with in_tenant(member.tenant_id):
        names = db.session.scalars(select(Audience.name)).all()
    assert len(names) == 8
    if db_is_sqlite(app):
        assert sorted(int(name.split()[-1]) for name in names) == list(range(8))  # each saw what the one before wrote


def db_is_sqlite(app) -> bool:
    with app.app_context():
        return db.engine.dialect.name == "sqlite"


def test_a_unit_of_work_takes_the_write_lock_at_once(only_sqlite, as_tenant):
    other = sqlite3.connect(db.engine.url.database, isolation_level=None, timeout=0)
    with unit_of_work(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_reading_goes_on_while_another_process_writes(only_sqlite, as_tenant):
    other = sqlite3.connect(db.engine.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert how_many() == 0
    finally:
        other.close()


def test_a_writer_waits_for_another_process(only_sqlite, as_tenant):
    other = sqlite3.connect(db.engine.url.database, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, lambda: other.execute("COMMIT")).start()
    with unit_of_work():
        db.session.add(Audience(name="Patient"))
    assert how_many() == 1


def test_a_database_that_stays_busy_is_said_to_be_busy(only_sqlite, as_tenant, monkeypatch):
    monkeypatch.setattr(kernel, "WRITE_WAIT_SECONDS", 0.2)
    other = sqlite3.connect(db.engine.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable), unit_of_work():
        pass
    other.close()
    with unit_of_work():
        db.session.add(Audience(name="Later"))
    assert how_many() == 1


def test_a_second_session_inside_a_unit_of_work_is_refused_rather_than_stuck(only_sqlite, app, as_tenant, monkeypatch):
    monkeypatch.setattr(kernel, "WRITE_WAIT_SECONDS", 0.2)
    with unit_of_work(), app.app_context(), pytest.raises(Unavailable), unit_of_work():
        pass


def test_sqlite_keeps_foreign_keys_and_a_write_ahead_log(only_sqlite, as_tenant):
    assert db.session.scalar(text("PRAGMA foreign_keys")) == 1
    assert db.session.scalar(text("PRAGMA journal_mode")) == "wal"


def test_an_errors_text_does_not_tell_the_values(as_tenant):
    from sqlalchemy.exc import IntegrityError

    from app.accounts.models import Tenant

    with unit_of_work():
        db.session.add(Tenant(name="A", slug="a-very-private-slug"))
    with pytest.raises(IntegrityError) as caught, unit_of_work():
        db.session.add(Tenant(name="B", slug="a-very-private-slug"))
    assert "[SQL parameters hidden" in str(caught.value)


def test_a_time_without_a_zone_is_refused(as_tenant):
    from datetime import datetime

    with pytest.raises(Exception, match="naive"), unit_of_work():
        db.session.add(Audience(name="When", created_at=datetime(2026, 1, 1)))
