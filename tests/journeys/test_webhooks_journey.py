"""An admin lets a system of theirs hear what happens: made, tested, seen to fail and sent again, paused, deleted."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from standardwebhooks import Webhook

from tests.support.hindrances import serious
from tests.support.stack import Stack
from tests.webhooks.receiver import Receiver, Reply

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ACCOUNT = {"email": "hooks@example.com", "password": "a good password"}


@pytest.fixture
def open_stack(tmp_path) -> Iterator[Stack]:
    """The product where webhooks may reach this machine."""
    running = Stack(tmp_path, ALLOW_PRIVATE_URLS="true").start(workers=1)
    yield running
    running.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


def sign_in(page: Page, stack: Stack) -> None:
    body, headers = json.dumps(ACCOUNT).encode(), {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{stack.url}/signup", body, headers), timeout=20).close()
    page.goto(f"{stack.url}/login")
    page.get_by_label("E-mail").fill(ACCOUNT["email"])
    page.get_by_label("Password", exact=True).fill(ACCOUNT["password"])
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile(r"/app$"))


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_from_a_new_webhook_to_its_end(page: Page, open_stack, receiver):
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    sign_in(page, open_stack)
    page.goto(f"{open_stack.url}/app/settings/webhooks")
    assert serious(page) == []
    page.get_by_label("Address").fill(f"{receiver.url}/hook")
    page.get_by_label("What it is for").fill("Shop")
    page.get_by_label("People came into a segment").check()
    page.get_by_role("button", name="Make the webhook").click()
    secret = page.locator("#new-secret").inner_text()
    assert serious(page) == []

    receiver.script = [Reply(500, b"not today")]
    page.goto(f"{open_stack.url}/app/settings/webhooks")
    assert secret not in page.content()
    page.get_by_role("link", name="Shop").click()
    page.get_by_role("button", name="Send a test").click()
    row = page.locator("#deliveries tbody tr", has_text="webhook.ping")
    expect(row).to_contain_text("trying again", timeout=20_000)
    expect(row).to_contain_text("delivered", timeout=30_000)  # live, when the next attempt succeeds
    assert [Webhook(secret).verify(one.body, one.headers)["event"] for one in receiver.received] == ["webhook.ping"] * 2

    page.set_viewport_size({"width": 390, "height": 844})
    assert fits(page)
    assert serious(page) == []
    row.get_by_role("link").click()
    expect(page.get_by_text("It answered 500.")).to_be_visible()
    assert fits(page)
    assert serious(page) == []
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("main")).to_contain_text("Attempts3", timeout=20_000)
    assert len({one.id for one in receiver.received}) == 1

    page.get_by_role("link", name="Shop").first.click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused: what happens meanwhile waits")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Your first webhook")).to_be_visible()
    assert faults == []
