"""Whether the product is alive and ready, and who may read its figures."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.core import health, pulse


@pytest.fixture
def ready(app, monkeypatch):
    """A worker that lives, and migrations that are done (the tests' tables are made without them)."""
    monkeypatch.setattr(health, "_migrated", lambda: True)
    pulse.beat("host:1")


def checks(anonymous):
    answer = anonymous.get("/readyz")
    return answer.status_code, answer.get_json()["checks"]


def test_being_alive_needs_nothing_else(anonymous, store):
    store.stop()
    try:
        assert anonymous.get("/healthz").get_json() == {"status": "ok"}
    finally:
        store.start()


def test_ready_means_database_migrations_store_and_a_worker(anonymous, ready):
    status, found = checks(anonymous)
    assert (status, set(found.values())) == (200, {"ok"})
    assert set(found) == {"database", "migrations", "redis", "worker"}


def test_a_store_that_is_away_is_named(anonymous, ready, store):
    store.stop()
    try:
        status, found = checks(anonymous)
    finally:
        store.start()
    assert status == 503
    assert found["redis"] != "ok"
    assert found["database"] == "ok"


def test_no_worker_is_named(anonymous, ready):
    pulse.leave("host:1")
    assert checks(anonymous) == (503, {**dict.fromkeys(("database", "migrations", "redis"), "ok"), "worker": "missing"})


def test_a_worker_that_fell_silent_does_not_count(anonymous, ready, monkeypatch):
    monkeypatch.setattr(pulse, "ALIVE_SECONDS", -1.0)
    assert checks(anonymous)[1]["worker"] == "missing"


def test_missing_migrations_are_named(anonymous, ready, monkeypatch):
    monkeypatch.undo()
    status, found = checks(anonymous)
    assert (status, found["migrations"]) == (503, "missing")


def test_a_worker_says_that_it_lives_until_it_is_told_to_stop(app, monkeypatch):
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.01)
    stop = pulse.start("host:2")
    try:
        for _ in range(200):
            if pulse.count_alive():
                break
            stop.wait(0.01)
        assert pulse.count_alive() == 1
    finally:
        stop.set()


def test_figures_are_for_this_machine_only_unless_a_token_is_set(anonymous, settings_override):
    assert "parley_requests_total" in anonymous.get("/metrics").text
    assert anonymous.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404
    assert anonymous.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    settings_override(metrics_token="a long token")
    assert anonymous.get("/metrics").status_code == 404
    assert anonymous.get("/metrics", headers={"Authorization": "Bearer wröng"}).status_code == 404
    assert anonymous.get("/metrics", headers={"Authorization": "Bearer a long token"}).status_code == 200


def test_figures_count_live_jobs(app, anonymous, member, in_tenant):
    from app.core.db import unit_of_work
    from app.insights.services import audiences

    with in_tenant(member.tenant_id), unit_of_work():
        audiences.create({"name": "Ours"}, user_id=member.id)
    assert 'parley_jobs_live{name="insights.generate_audience",state="queued"} 1.0' in anonymous.get("/metrics").text


def test_the_database_is_really_asked(anonymous, ready, monkeypatch):
    from sqlalchemy.exc import OperationalError

    from app.core.db import db

    def away(*_arguments, **_options):
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(db.session, "execute", away)
    assert checks(anonymous)[1]["database"] == "OperationalError"
    assert text("SELECT 1") is not None
