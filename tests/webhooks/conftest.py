"""Fixtures of webhooks: a receiver, endpoints to it, events, and time that passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.webhooks.receiver import Receiver

URL = "/api/v1/webhooks"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


@pytest.fixture
def other_receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _receivers_are_on_this_machine(settings_override):
    settings_override(allow_private_urls=True)


@pytest.fixture
def make_hook(client, receiver) -> Callable[..., dict[str, Any]]:
    """Register an endpoint as the API would; its answer, with the secret."""

    def make(*events: str, url: str = "", by=client, **more) -> dict[str, Any]:
        body = {"url": url or f"{receiver.url}/hook", "events": list(events or ("segment.entered",)), **more}
        answer = by.post(URL, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json

    return make


@pytest.fixture
def happen(in_tenant, member) -> Callable[..., None]:
    """People come into a segment, as its feature tells of it."""
    from app.cdp.events import SegmentEntered
    from app.core.db import unit_of_work
    from app.core.events import emit

    def act(*profile_ids: int, tenant_id: int = member.tenant_id) -> None:
        with in_tenant(tenant_id), unit_of_work():
            emit(SegmentEntered(tenant_id, 7, "0b7c", "Regulars", list(profile_ids or (1, 2))))

    return act


@pytest.fixture
def sweep(app) -> Callable[[], None]:
    """What the scheduler has done every few seconds."""
    return lambda: run_periodic(app, "webhooks.sweep")


def run_periodic(app, name: str) -> None:
    from app.core.schedule import table
    from app.core.tenancy import platform_scope

    with app.app_context(), platform_scope():
        table[name].function()


@pytest.fixture
def deliver(run_jobs, sweep) -> Callable[[], None]:
    """The scheduler's next look at what is due, and the workers after it."""

    def act() -> None:
        sweep()
        run_jobs()

    return act


@pytest.fixture
def travel(monkeypatch) -> Callable[..., None]:
    """Let time pass for webhooks."""
    from app.webhooks import queries
    from app.webhooks.pages import endpoints as pages
    from app.webhooks.services import deliveries, endpoints, upkeep

    real, passed = deliveries.utc_now, timedelta(0)

    def pass_time(**span: float) -> None:
        nonlocal passed
        passed += timedelta(**span)

    for module in (queries, pages, deliveries, endpoints, upkeep):
        monkeypatch.setattr(module, "utc_now", lambda: real() + passed)
    return pass_time


@pytest.fixture
def sent(client) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """The deliveries of an endpoint, newest first, as the API lists them."""
    return lambda hook: client.get(f"{URL}/{hook['id']}/deliveries?limit=100").json["items"]
