"""The whole product over real processes, with a model that answers slowly enough to be caught in the middle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import APIRequestContext

from tests.support.stack import Stack

BRIEF = {"name": "Orchard & Oat", "business_description": "Organic groceries", "location": "United States"}


@pytest.fixture
def slow_stack(tmp_path, sandbox) -> Iterator[Stack]:
    """Two workers whose first provider is a slow twin of Anthropic; the built-in analyst stands behind it."""
    settings = {
        "ANTHROPIC_API_KEY": "sk-ant-drill-0123456789",
        "ANTHROPIC_BASE_URL": f"{sandbox.url}/anthropic",
        "AI_ORDER": "anthropic,builtin",
        "AI_RESEARCH_ORDER": "anthropic,builtin",
    }
    running = Stack(tmp_path, **settings).start(workers=1)
    yield running
    running.stop()


@pytest.fixture
def api(slow_stack, playwright) -> Iterator[APIRequestContext]:
    """The contract's API, signed in."""
    context = playwright.request.new_context(base_url=slow_stack.url)
    credentials = {"email": "drill@example.com", "password": "a good password"}
    assert context.post("/signup", data=credentials).status == 201
    assert context.post("/login", data=credentials).ok
    yield context
    context.dispose()


@pytest.fixture
def new_audience(api) -> Callable[[], int]:
    def make() -> int:
        answer = api.post("/audience", data=BRIEF)
        assert answer.status == 201, answer.text()
        return int(answer.json()["audience_id"])

    return make


@pytest.fixture
def picture(api) -> Callable[[int], dict[str, Any]]:
    return lambda audience_id: api.get(f"/audience/{audience_id}/insight").json()


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    """Wait until `probe` gives something true, and give it back."""

    def wait(probe: Callable[[], Any], seconds: float = 40.0) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = probe()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError("it did not happen in time")

    return wait
