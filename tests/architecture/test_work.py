"""Sweeps over background work: every name that is asked for exists, every queue is served, periods make sense."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from app.core.jobs import Queue, registry
from app.core.schedule import table

ROOT = Path(__file__).resolve().parents[2]


def names_asked_for() -> list[tuple[str, str]]:
    """Where `enqueue("name", …)` stands, and the name."""
    found = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "id", getattr(called, "attr", ""))
            if name == "enqueue" and path.parts[-2:] != ("core", "jobs_transport.py"):
                first = node.args[0]
                assert isinstance(first, ast.Constant), f"{path}: a job is asked for by a name that cannot be checked"
                found.append((str(path.relative_to(ROOT)), first.value))
    return found


def test_each_job_that_is_asked_for_is_registered(app):
    assert names_asked_for()
    assert [asked for asked in names_asked_for() if asked[1] not in registry] == []


def test_each_job_is_asked_for_somewhere(app):
    assert set(registry) - {name for _, name in names_asked_for()} == set()


def test_each_job_may_be_tried_again_and_ends_some_day(app):
    for definition in registry.values():
        assert definition.max_attempts > 1, definition.name
        assert 0 < definition.timeout_seconds <= 3600, definition.name
        assert definition.queue in set(Queue)
        assert definition.name.count(".") == 1


def test_a_job_takes_ids_only(app):
    import inspect

    for definition in registry.values():
        for name, parameter in inspect.signature(definition.function).parameters.items():
            assert name.endswith("_id"), f"{definition.name} takes {name}"
            assert parameter.annotation in ("int", "str"), f"{definition.name} takes {name}: {parameter.annotation}"


@pytest.mark.parametrize("name", ["core.recover_jobs", "core.relay_outbox", "core.purge_jobs"])
def test_the_kernels_own_periodic_work_is_in_the_table(app, name):
    assert table[name].every_seconds > 0


def test_each_periodic_entry_runs_on_a_served_queue(app):
    assert {entry.queue for entry in table.values()} <= set(Queue)
