"""A job runs to one outcome, whoever dies on the way."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from rq.job import Job as RqJob
from rq.job import JobStatus
from sqlalchemy import select, update

from app.core.clock import utc_now
from app.core.db import db, release_connection, unit_of_work
from app.core.errors import ProviderFailed, Unavailable, ValidationFailed
from app.core.jobs import BackgroundJob, JobState, Queue, enqueue, job, registry, worker_stopping
from app.core.jobs_run import execute, fail, progress
from app.core.jobs_transport import recover_jobs
from app.core.redis import get_redis


@pytest.fixture
def calls():
    return []


@pytest.fixture
def a_job(monkeypatch):
    """Register a function as the job `test.work` for one test."""

    def register(function, **options):
        monkeypatch.setitem(registry, "test.work", None)
        job("test.work", queue=Queue.DEFAULT, **options)(function)

    return register


@pytest.fixture
def ask(member, in_tenant):
    """Enqueue `test.work` as the member's tenant; gives the job's id."""

    def enqueue_one(**arguments) -> str:
        with in_tenant(member.tenant_id), unit_of_work():
            return enqueue("test.work", **arguments).id

    return enqueue_one


@pytest.fixture
def run(app):
    """Run a job as a worker would, in a context of its own."""

    def work(job_id: str) -> None:
        with app.app_context():
            execute(job_id)

    return work


@pytest.fixture
def row(app):
    def read(job_id: str) -> BackgroundJob:
        with app.app_context():
            return db.session.scalars(select(BackgroundJob).where(BackgroundJob.id == job_id)).one()

    return read


@pytest.fixture
def change(app):
    def write(job_id: str, **values) -> None:
        with app.app_context(), unit_of_work():
            db.session.execute(update(BackgroundJob).where(BackgroundJob.id == job_id).values(**values))

    return write


@pytest.fixture
def sweep(app):
    def act() -> None:
        with app.app_context():
            recover_jobs()

    return act


def waiting_in_redis() -> list[str]:
    return [name.decode() for queue in Queue for name in get_redis().lrange(f"rq:queue:{queue}", 0, -1)]


def test_a_job_runs_as_its_tenant_and_ends_done(a_job, ask, run, row, member, calls):
    from app.core.tenancy import current_tenant_id

    a_job(lambda thing_id: calls.append((thing_id, current_tenant_id())))
    job_id = ask(thing_id=7)
    run(job_id)
    assert calls == [(7, member.tenant_id)]
    assert (row(job_id).state, row(job_id).attempts) == (JobState.DONE, 1)


def test_a_job_leaves_only_after_the_commit(a_job, in_tenant, member):
    a_job(lambda: None)
    with in_tenant(member.tenant_id):
        with unit_of_work():
            job_id = enqueue("test.work").id
            assert waiting_in_redis() == []
        assert waiting_in_redis() == [f"{job_id}-0"]


def test_a_rolled_back_request_for_work_never_leaves(a_job, app, in_tenant, member):
    a_job(lambda: None)
    with in_tenant(member.tenant_id):
        with pytest.raises(ZeroDivisionError), unit_of_work():
            enqueue("test.work")
            raise ZeroDivisionError
        assert waiting_in_redis() == []
        assert db.session.scalars(select(BackgroundJob)).all() == []


def test_a_live_job_with_the_same_key_is_not_asked_for_twice(a_job, in_tenant, member, other_member, run):
    a_job(lambda: None)
    with in_tenant(member.tenant_id), unit_of_work():
        first = enqueue("test.work", unique_key="one").id
        assert enqueue("test.work", unique_key="one").id == first
    with in_tenant(other_member.tenant_id), unit_of_work():
        assert enqueue("test.work", unique_key="one").id != first
    run(first)
    with in_tenant(member.tenant_id), unit_of_work():
        assert enqueue("test.work", unique_key="one").id != first


def test_a_job_delivered_twice_runs_once(a_job, ask, run, calls):
    a_job(lambda: calls.append(1))
    job_id = ask()
    run(job_id)
    run(job_id)
    assert calls == [1]


def test_of_two_workers_that_get_the_same_job_one_runs_it(a_job, ask, run, calls):
    both_in = threading.Barrier(2, timeout=10)
    a_job(lambda: calls.append(1))
    job_id = ask()

    def worker() -> None:
        both_in.wait()
        run(job_id)

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert calls == [1]


def test_a_job_that_was_never_handed_over_is_handed_over_by_the_sweep(a_job, ask, sweep):
    a_job(lambda: None)
    job_id = ask()
    get_redis().flushdb()  # the crash came between the commit and the hand-over, or the store lost everything
    sweep()
    assert waiting_in_redis() == [f"{job_id}-0"]
    sweep()
    assert waiting_in_redis() == [f"{job_id}-0"]


def test_a_job_asked_for_while_the_store_is_away_is_kept(a_job, ask, sweep, store, row):
    a_job(lambda: None)
    store.stop()
    try:
        job_id = ask()
        assert row(job_id).state == JobState.QUEUED
    finally:
        store.start()
    sweep()
    assert waiting_in_redis() == [f"{job_id}-0"]


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED, JobStatus.FINISHED])
def test_a_job_whose_copy_in_rq_ended_unclaimed_is_handed_over_at_once(a_job, ask, sweep, row, run, status, calls):
    """As when the database was away in the moment the worker took it."""
    a_job(lambda: calls.append(1))
    job_id = ask()
    get_redis().delete("rq:queue:default")
    RqJob.fetch(f"{job_id}-0", connection=get_redis()).set_status(status)
    sweep()
    assert waiting_in_redis() == [f"{job_id}-0"]
    run(job_id)
    assert (row(job_id).state, calls) == (JobState.DONE, [1])


def test_a_job_that_a_worker_is_about_to_claim_is_left_to_it(a_job, ask, sweep):
    a_job(lambda: None)
    job_id = ask()
    get_redis().delete("rq:queue:default")
    RqJob.fetch(f"{job_id}-0", connection=get_redis()).set_status(JobStatus.STARTED)
    sweep()
    assert waiting_in_redis() == []


def test_a_job_that_rq_dropped_on_the_way_to_its_worker_is_handed_over_again(a_job, ask, sweep, change):
    a_job(lambda: None)
    job_id = ask()
    get_redis().delete("rq:queue:default")  # a worker took it off the list and died before it claimed the row
    sweep()
    assert waiting_in_redis() == []
    change(job_id, run_after=utc_now() - timedelta(minutes=2))
    sweep()
    assert waiting_in_redis() == [f"{job_id}-0"]


def test_a_job_whose_worker_fell_silent_goes_to_another(a_job, ask, run, row, change, sweep, calls):
    a_job(lambda: calls.append(1))
    job_id = ask()
    change(job_id, state=JobState.RUNNING, lease="of-the-dead", attempts=1, heartbeat_at=utc_now() - timedelta(hours=1))
    sweep()
    assert row(job_id).state == JobState.QUEUED
    assert f"{job_id}-1" in waiting_in_redis()
    run(job_id)
    assert (calls, row(job_id).state) == ([1], JobState.DONE)


def test_a_job_whose_worker_still_speaks_is_left_alone(a_job, ask, change, sweep, row):
    a_job(lambda: None)
    job_id = ask()
    change(job_id, state=JobState.RUNNING, lease="of-the-living", attempts=1, heartbeat_at=utc_now())
    sweep()
    assert (row(job_id).state, row(job_id).lease) == (JobState.RUNNING, "of-the-living")


def test_a_heartbeat_between_the_look_and_the_taking_keeps_the_job(a_job, ask, change, row, app):
    from app.core.jobs_transport import requeue

    a_job(lambda: None)
    job_id, looked_at = ask(), utc_now()
    change(job_id, state=JobState.RUNNING, lease="mine", attempts=1, heartbeat_at=utc_now())
    with app.app_context(), unit_of_work():
        assert not requeue(job_id, "mine", unless_seen_since=looked_at)
    with app.app_context():
        fail(job_id, "mine", "dead", unless_seen_since=looked_at)
    assert row(job_id).state == JobState.RUNNING


def test_a_long_job_keeps_its_lease_by_its_heartbeat(a_job, ask, run, row, sweep, settings_override, calls):
    settings_override(job_heartbeat_seconds=0.05, job_lease_seconds=0.3)

    def work() -> None:
        calls.append(1)
        threading.Event().wait(0.6)
        sweep()

    a_job(work)
    job_id = ask()
    run(job_id)
    assert (calls, row(job_id).state, row(job_id).attempts) == ([1], JobState.DONE, 1)


def test_a_worker_that_lost_its_lease_stops_at_its_next_step_and_changes_nothing(a_job, ask, run, row, change, calls):
    def work() -> None:
        change(job_id, lease="another")
        progress(1, 2)
        calls.append("went on")

    a_job(work)
    job_id = ask()
    run(job_id)
    assert (calls, row(job_id).state, row(job_id).lease) == ([], JobState.RUNNING, "another")


def test_a_worker_that_lost_its_lease_cannot_end_the_job(a_job, ask, run, row, change):
    a_job(lambda: change(job_id, lease="another"))
    job_id = ask()
    run(job_id)
    assert (row(job_id).state, row(job_id).lease) == (JobState.RUNNING, "another")


def test_a_job_that_always_fails_ends_failed_and_tells_its_feature_once(a_job, ask, run, row, calls):
    told = []

    def work(thing_id: int) -> None:
        calls.append(thing_id)
        raise ZeroDivisionError("the secret reason")

    a_job(work, max_attempts=3, on_failure=lambda **arguments: told.append(arguments))
    job_id = ask(thing_id=5)
    for _ in range(5):
        run(job_id)
    assert calls == [5, 5, 5]
    assert told == [{"error": "Something unexpected went wrong.", "thing_id": 5}]
    assert (row(job_id).state, row(job_id).error) == (JobState.FAILED, "Something unexpected went wrong.")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ValidationFailed("No such thing."), JobState.FAILED),
        (ProviderFailed("Key refused."), JobState.FAILED),
        (ProviderFailed("Busy.", retryable=True), JobState.QUEUED),
        (Unavailable("Away."), JobState.QUEUED),
    ],
    ids=["refused", "provider refuses", "provider busy", "part away"],
)
def test_only_what_may_pass_is_tried_again(a_job, ask, run, row, error, state):
    def work() -> None:
        raise error

    a_job(work)
    job_id = ask()
    run(job_id)
    assert (row(job_id).state, row(job_id).error) == (state, error.message)


def test_a_failure_after_the_session_was_given_back_is_recorded_all_the_same(a_job, ask, run, row, in_tenant):
    """Outside calls are made with no connection held; what fails there must still find the job."""

    def work() -> None:
        db.session.scalars(select(BackgroundJob)).all()
        progress(0, 1)
        release_connection()
        raise ZeroDivisionError

    a_job(work, max_attempts=1)
    job_id = ask()
    run(job_id)
    assert row(job_id).state == JobState.FAILED


def test_a_feature_that_cannot_take_the_news_does_not_keep_others_from_being_recovered(
    a_job, ask, change, row, sweep, monkeypatch
):
    def broken(**arguments) -> None:
        raise ZeroDivisionError

    a_job(lambda: None, max_attempts=1, on_failure=broken)
    poison, other = ask(), ask()
    long_ago = utc_now() - timedelta(hours=1)
    change(poison, state=JobState.RUNNING, lease="a", attempts=1, max_attempts=1, heartbeat_at=long_ago)
    change(other, state=JobState.RUNNING, lease="b", attempts=1, max_attempts=3, heartbeat_at=long_ago)
    sweep()
    assert (row(poison).state, row(other).state) == (JobState.FAILED, JobState.QUEUED)


def test_a_worker_asked_to_stop_gives_its_job_back_between_two_steps_at_no_cost(a_job, ask, run, row, calls):
    def work() -> None:
        calls.append("step")
        progress(1, 3)
        calls.append("went on")

    a_job(work, max_attempts=1)
    job_id = ask()
    worker_stopping.set()
    try:
        run(job_id)
    finally:
        worker_stopping.clear()
    assert calls == ["step"]
    assert (row(job_id).state, row(job_id).lease) == (JobState.QUEUED, None)
    assert row(job_id).max_attempts - row(job_id).attempts == 1
    assert f"{job_id}-1" in waiting_in_redis()


def test_a_job_of_another_release_burns_no_other_work(ask, a_job, run, row, monkeypatch):
    a_job(lambda: None, max_attempts=1)
    job_id = ask()
    monkeypatch.delitem(registry, "test.work")
    run(job_id)
    assert row(job_id).state == JobState.FAILED


def test_a_job_is_found_by_its_own_tenant_only(a_job, ask, in_tenant, member, other_member):
    from app.core.jobs import find_job, list_live_jobs

    a_job(lambda: None)
    job_id = ask(label="Something long")
    with in_tenant(member.tenant_id):
        assert find_job(job_id) is not None
    with in_tenant(other_member.tenant_id):
        assert find_job(job_id) is None
        assert list_live_jobs() == []
