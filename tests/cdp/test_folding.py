"""Folding: everything once, whoever dies or comes twice on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, text

from app.cdp.models import Computed, FoldItem, IndexState, Slice
from app.cdp.services import evaluation, folding, index_check, rebuilding
from app.cdp.services.conditions import parse
from app.core.db import db, release_connection, unit_of_work
from tests.cdp.factory import TODAY, People, fold

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def people(app, member, in_tenant):
    with in_tenant(member.tenant_id):
        yield People()


def counts(event: str, highest: int = 12) -> dict[int, int]:
    """How often the index says each person did it."""
    found: dict[int, int] = {}
    for times in range(1, highest):
        raw = {"type": "event", "event": event, "count": {"exactly": times}}
        for one in evaluation.evaluate(parse(raw), today=TODAY):
            found[one] = times
    return found


def totals() -> dict[int, float]:
    return dict(db.session.execute(select(Computed.profile_id, Computed.total)).all())


def test_a_step_that_is_rolled_back_has_done_nothing(people):
    one = people.add()[0]
    people.event(one, "purchase", amount=5)
    with pytest.raises(RuntimeError), unit_of_work():
        folding.fold_step()
        raise RuntimeError("the machine went away")
    assert counts("purchase") == {}
    fold()
    assert (counts("purchase"), totals()) == ({one: 1}, {one: 5.0})


def test_the_same_note_twice_counts_once_in_one_step(people):
    one = people.add()[0]
    event_id = people.event(one, "purchase", amount=5)
    with unit_of_work():
        people._note("events", {"events": [event_id]})
    fold()
    assert (counts("purchase"), totals()) == ({one: 1}, {one: 5.0})


def test_a_step_is_filled_by_people_however_often_each_is_named(people, monkeypatch):
    monkeypatch.setattr(folding, "MOST_IDS", 4)
    ids = [people.add()[0] for _ in range(4)]
    fold()
    with unit_of_work():
        for part in (ids[:3], ids[:3], ids[3:], [ids[0]]):
            people._note("profiles", {"profiles": part})
        people._note("profiles", {"profiles": [max(ids) + 1]})
    steps = []
    for _ in range(3):
        with unit_of_work():
            steps.append(folding.fold_step())
    assert steps == [4, 1, 0]


def test_many_small_parts_of_a_day_become_one(people):
    one, other = people.add(2)
    for number in range(20):
        people.event(one if number % 2 else other, "purchase", amount=1, **{f"p{number}": "x"})
        fold()
    assert counts("purchase") == {one: 10, other: 10}
    parts = select(func.count()).where(Slice.measure.like("r:%"))
    assert db.session.scalar(parts) < 10
    raw = {"type": "event", "event": "purchase", "where": [{"property": "p3", "operator": "is_set"}]}
    assert list(evaluation.evaluate(parse(raw), today=TODAY)) == [one]


def test_events_that_come_while_a_merge_waits_are_counted_once(people):
    one, other = people.add(2)
    people.event(one, "purchase", amount=1)
    fold()
    people.merge(one, other)
    people.event(other, "purchase", amount=2)
    with unit_of_work():  # the merge alone: the event waits for the next step
        db.session.execute(delete(FoldItem).where(FoldItem.kind == "touched"))
    folding.MOST_ITEMS, kept = 1, folding.MOST_ITEMS
    try:
        fold()
    finally:
        folding.MOST_ITEMS = kept
    assert (counts("purchase"), totals()) == ({other: 2}, {other: 3.0})


def test_the_erased_leave_no_trace_in_the_index(people):
    gone, stays = people.add(1, email="secret.person@example.com", traits={"city": "Unmistakable"})[0], people.add()[0]
    people.event(gone, "purchase", amount=3, note="Unmistakable words")
    people.event(stays, "purchase", amount=4, note="plain")
    fold()
    people.erase([gone])
    fold()
    from app.cdp.services.engine.store import expand

    whole = b"".join(expand(data) for data in db.session.scalars(select(Slice.data)))
    assert b"Unmistakable" not in whole
    assert b"secret.person" not in whole
    assert (counts("purchase"), totals()) == ({stays: 1}, {stays: 4.0})


def test_a_traits_overflow_is_asked_from_the_database(people, monkeypatch):
    from app.cdp.services import folding_people

    monkeypatch.setattr(folding_people, "MOST_TRAITS", 2)
    one = people.add(1, traits={"a": "x", "b": "x", "c": "x"})[0]
    fold()
    for name in ("a", "b", "c"):
        raw = {"type": "trait", "trait": name, "operator": "equals", "value": "x"}
        assert list(evaluation.evaluate(parse(raw))) == [one]
    rebuilding.rebuild()
    raw = {"type": "trait", "trait": "c", "operator": "equals", "value": "x"}
    assert list(evaluation.evaluate(parse(raw))) == [one]


def test_two_folders_at_once_take_turns(app, people, member):
    ids = people.add(20)
    for round_number in range(12):
        people.events((one, "purchase", _moment(round_number), {"amount": 1}) for one in ids)
    release_connection()
    folders = [threading.Thread(target=_fold_alone, args=(app, member.tenant_id)) for _ in range(2)]
    kept, folding.MOST_ITEMS = folding.MOST_ITEMS, 2
    try:
        for one in folders:
            one.start()
        for one in folders:
            one.join(30)
    finally:
        folding.MOST_ITEMS = kept
    assert counts("purchase", 14) == dict.fromkeys(ids, 12)
    assert totals() == dict.fromkeys(ids, 12.0)


def _moment(number: int):
    from tests.cdp.factory import at

    return at(TODAY - number)


def _fold_alone(app, tenant_id: int) -> None:
    from app.core.tenancy import tenant_scope

    with app.app_context(), tenant_scope(tenant_id):
        fold()
        release_connection()


def test_a_rebuild_mends_an_index_that_was_lost(people):
    one = people.add(1, traits={"plan": "gold"})[0]
    people.event(one, "purchase", amount=5)
    fold()
    with unit_of_work():
        db.session.execute(delete(Slice))
        db.session.execute(delete(Computed))
    rebuilding.rebuild()
    assert (counts("purchase"), totals()) == ({one: 1}, {one: 5.0})
    assert list(
        evaluation.evaluate(parse({"type": "trait", "trait": "plan", "operator": "equals", "value": "gold"}))
    ) == [one]


def test_what_comes_in_during_a_rebuild_waits_and_is_folded_after(people):
    one = people.add()[0]
    fold()

    def meanwhile(done: int, _total: int, _note: str) -> None:
        if done == 0:
            people.event(one, "purchase", amount=5)
            fold()

    rebuilding.rebuild(meanwhile)
    fold()
    assert (counts("purchase"), totals()) == ({one: 1}, {one: 5.0})


def test_a_new_zone_moves_events_to_the_days_it_counts(people, member):
    one = people.add()[0]
    people.event(one, "purchase", TODAY, minutes=11 * 60)  # 23:00 UTC
    fold()
    assert counts("purchase") == {one: 1}
    with unit_of_work():
        db.session.execute(text("UPDATE tenants SET timezone = 'Asia/Tokyo' WHERE id = :id"), {"id": member.tenant_id})
    rebuilding.rebuild()
    on_next = {"type": "event", "event": "purchase", "time_window": "last_1_days"}
    assert list(evaluation.evaluate(parse(on_next), today=TODAY)) == []
    assert list(evaluation.evaluate(parse(on_next), today=TODAY + 1)) == [one]


def test_the_check_finds_who_differs_and_mends_it(people, run_jobs):
    ids = people.add(3, email="a@example.com")
    people.event(ids[0], "purchase", amount=5)
    fold()
    assert index_check.check_and_repair() == []
    with unit_of_work():
        db.session.execute(delete(Slice).where(Slice.measure.like("r:%") | Slice.measure.like("e:%")))
        state = db.session.scalars(select(IndexState)).one()
        state.version += 1
    assert index_check.check_and_repair() == [ids[0]]
    fold()
    assert counts("purchase") == {ids[0]: 1}
    assert index_check.check_and_repair() == []


# Loads everything once, and for each line it reads becomes one more process that folds; tells its id, then its end.
FOLDERS = """
import os, signal, sys
from app import create_app
from app.cdp.services import folding
from app.core.tenancy import tenant_scope
from tests.cdp.factory import fold
folding.MOST_ITEMS = 3
app = create_app()
for _ in sys.stdin:
    child = os.fork()
    if not child:
        with app.app_context(), tenant_scope(int(sys.argv[1])):
            print(os.getpid(), flush=True)
            fold()
        signal.pause()  # done before it was killed: it is killed all the same
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.slow
def test_a_folder_killed_in_the_middle_loses_and_repeats_nothing(people, member, app):
    """Killed again and again at any point, and another takes over."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("the other process opens the same file")
    ids = people.add(50)
    for number in range(40):
        people.events((one, "purchase", _moment(number % 5), {"amount": 1}) for one in ids)
    release_connection()
    process = subprocess.Popen(
        [sys.executable, "-c", FOLDERS, str(member.tenant_id)], cwd=ROOT, env=os.environ,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    for wait in (0.02, 0.11, 0.23, 0.05):
        process.stdin.write("go\n")
        process.stdin.flush()
        folder = int(process.stdout.readline())
        time.sleep(wait)
        os.kill(folder, signal.SIGKILL)
        assert process.stdout.readline() == f"{-signal.SIGKILL}\n"
    process.communicate()
    fold()
    assert totals() == dict.fromkeys(ids, 40.0)
    raw = {"type": "event", "event": "purchase", "count": {"exactly": 40}}
    assert list(evaluation.evaluate(parse(raw), today=TODAY)) == ids
