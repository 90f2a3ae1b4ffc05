"""What journeys share: coming in, and whatever the browser complains of on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.support.stack import Stack


@pytest.fixture
def faults(page: Page) -> list[str]:
    """Errors of the page's scripts and of its console so far."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


@pytest.fixture
def enter(page: Page, stack: Stack) -> Callable[[str], Page]:
    """Sign this address up, unless it is known, and in; the page that is theirs from then on."""

    def as_person(email: str) -> Page:
        credentials = {"email": email, "password": "a good password"}
        page.request.post(f"{stack.url}/signup", data=credentials)
        assert page.request.post(f"{stack.url}/login", data=credentials).ok
        return page

    return as_person
