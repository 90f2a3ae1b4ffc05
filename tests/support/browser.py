"""A shared headless Chromium and the running product for it to visit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.support.stack import Stack


def chromium_path() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next((found for name in names if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    options = {**browser_type_launch_args, "args": arguments}
    path = chromium_path()
    return {**options, "executable_path": path} if path else options


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 1440, "height": 900}, "locale": "en-GB"}


@pytest.fixture(scope="session")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """The product running for real, shared by the journeys of this test process."""
    running = Stack(tmp_path_factory.mktemp("stack"), BUILTIN_TOKEN_DELAY_MS="60").start(workers=2)
    yield running
    running.stop()
