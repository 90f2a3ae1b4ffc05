"""Somebody writes back; a marketer sees it at once and answers, by a template where need be; a STOP ends the talk."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from app.sandbox import create_sandbox
from app.sandbox.server import SandboxServer
from tests.support.hindrances import serious
from tests.support.stack import Stack
from tests.support.valkey import free_port

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ACCOUNT, TOKEN = "AC5a4db0c55a4db0c55a4db0c55a4db0c5", "7e575a4db0c57e575a4db0c57e575a4d"
SENDER, PERSON = "+15005550006", "+14155550123"
CREDENTIALS = {"email": "inbox@example.com", "password": "a good password"}


class Phone:
    """Somebody with a phone, who writes to our number by the provider."""

    def __init__(self, sandbox_url: str) -> None:
        self._url = sandbox_url

    def write(self, body: str, channel: str = "sms") -> None:
        written = {"from": PERSON, "to": SENDER, "body": body, "channel": channel}
        assert self._post("/_control/twilio/inbound", written)["status"] == 200

    def content(self, body: str) -> str:
        """A text that WhatsApp has approved; the provider's id of it."""
        made = {"friendly_name": "moved", "language": "en", "types": {"twilio/text": {"body": body}},
                "variables": {"1": "Monday"}}  # fmt: skip
        sid = str(self._post("/twilio/content/v1/Content", made)["sid"])
        asked = {"name": "moved", "category": "UTILITY"}
        self._post(f"/twilio/content/v1/Content/{sid}/ApprovalRequests/whatsapp", asked)
        self._post("/_control/twilio/approvals", {"sid": sid})
        return sid

    def _post(self, path: str, body: dict[str, object]) -> dict[str, object]:
        headers = {"Content-Type": "application/json"}
        if not path.startswith("/_control"):
            headers["Authorization"] = f"Basic {base64.b64encode(f'{ACCOUNT}:{TOKEN}'.encode()).decode()}"
        call = urllib.request.Request(f"{self._url}{path}", json.dumps(body).encode(), headers, method="POST")
        with urllib.request.urlopen(call, timeout=20) as answer:
            return dict(json.loads(answer.read() or b"{}"))


@pytest.fixture(scope="module")
def connected(tmp_path_factory) -> Iterator[tuple[Stack, Phone]]:
    """The product with an account at the provider, which calls it back."""
    sandbox = SandboxServer(create_sandbox(token_delay_ms=0))
    sandbox.start()
    stack = Stack(
        tmp_path_factory.mktemp("inbox"), TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_AUTH_TOKEN=TOKEN, TWILIO_SMS_SENDER=SENDER,
        TWILIO_WHATSAPP_SENDER=SENDER, TWILIO_BASE_URL=f"{sandbox.url}/twilio", ALLOW_PRIVATE_URLS="true",
    )  # fmt: skip
    stack.port = free_port()
    stack.url = stack.env["PUBLIC_URL"] = f"http://127.0.0.1:{stack.port}"
    stack.start(workers=1)
    settings = json.dumps({"inbound_url": f"{stack.url}/webhooks/inbound"}).encode()
    call = urllib.request.Request(
        f"{sandbox.url}/_control/twilio", settings, {"Content-Type": "application/json"}, method="POST"
    )
    urllib.request.urlopen(call, timeout=10).close()
    yield stack, Phone(sandbox.url)
    stack.stop()
    sandbox.stop()


def test_a_talk_from_the_first_text_to_the_stop(page: Page, connected):
    stack, phone = connected
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.request.post(f"{stack.url}/signup", data=CREDENTIALS)
    assert page.request.post(f"{stack.url}/login", data=CREDENTIALS).ok

    page.goto(f"{stack.url}/app/inbox")
    expect(page.get_by_role("heading", name="Nobody has written yet")).to_be_visible()
    assert serious(page) == []
    page.wait_for_function("document.documentElement.dataset.live === 'up'")

    phone.write("Hello, where is my order?")
    row = page.locator("#talks .ply-conv").first
    expect(row).to_contain_text("where is my order?", timeout=10_000)
    expect(page.locator(".ply-side a[href='/app/inbox'] .ply-count")).to_contain_text("1")
    address = row.get_by_role("link").get_attribute("href")
    assert "where is my order?" in page.request.get(f"{stack.url}{address}").text()
    page.reload()
    waiting = page.locator(".ply-side a[href='/app/inbox'] .ply-count")
    expect(waiting).to_contain_text("1")  # fetching the page was not reading it
    row.get_by_role("link").click()
    expect(page.get_by_role("log")).to_contain_text("where is my order?")
    expect(waiting).to_have_count(0)
    expect(page.locator("#talks [data-unread]")).to_have_count(0)
    assert serious(page) == []

    page.evaluate("window.stillHere = true")
    answer = page.get_by_role("textbox", name=f"Answer to {PERSON}")
    answer.fill("It left this morning.")
    expect(page.locator("[data-count]")).to_contain_text("1 SMS")
    answer.press("Control+Enter")
    ours = page.locator("#entries .ply-msg--you")
    expect(ours).to_have_count(1)
    expect(ours).to_contain_text("It left this morning.")
    expect(answer).to_be_focused()
    expect(answer).to_have_value("")
    expect(ours).to_contain_text("Delivered", timeout=30_000)

    answer.fill("And one more")
    phone.write("Thank you!")
    expect(page.locator("#entries .ply-msg--them")).to_have_count(2, timeout=10_000)
    expect(page.locator("#heard")).to_have_text("They wrote: Thank you!")  # and not the talk from its beginning
    expect(answer).to_have_value("And one more")
    answer.fill("")

    phone.write("STOP")
    expect(page.get_by_text("This person said STOP")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("textbox", name=f"Answer to {PERSON}")).to_have_count(0)
    assert page.evaluate("window.stillHere") is True
    assert serious(page) == []
    assert faults == []


def a_day_passes(stack: Stack, content: str) -> None:
    """They wrote a day and more ago, and WhatsApp approved the only template meanwhile."""
    with closing(sqlite3.connect(stack.folder / "data" / "parley.db", timeout=20)) as link, link:
        link.execute("UPDATE message_threads SET last_inbound_at = datetime(last_inbound_at, '-25 hours')")
        link.execute("UPDATE template_versions SET approval = 'approved', content_sid = ?", (content,))


def test_a_template_goes_where_whatsapp_takes_no_free_answer(page: Page, connected):
    stack, phone = connected
    page.request.post(f"{stack.url}/signup", data=CREDENTIALS)
    assert page.request.post(f"{stack.url}/login", data=CREDENTIALS).ok
    phone.write("Can I move my box?", channel="whatsapp")
    text = {"name": "Moved", "content": "Your box now comes on {day}. Reply to change it.", "channel": "whatsapp"}
    assert page.request.post(f"{stack.url}/messaging/api/v1/templates", data=text).ok
    a_day_passes(stack, phone.content("Your box now comes on {{1}}. Reply to change it."))
    page.goto(f"{stack.url}/app/inbox")
    page.locator("#talks .ply-conv", has_text="WhatsApp").get_by_role("link").click()
    expect(page.get_by_text("has not agreed to WhatsApp messages")).to_be_visible()

    profile = page.get_by_role("heading", level=1).get_by_role("link").get_attribute("href").rsplit("/", 1)[1]
    agreed = {"channel": "whatsapp", "state": "granted"}
    assert page.request.post(f"{stack.url}/api/v1/cdp/profiles/{profile}/consent", data=agreed).ok
    page.reload()
    expect(page.locator("#template-preview")).to_contain_text("Your box now comes on [day].")
    assert serious(page) == []
    page.get_by_label("Day").press_sequentially("Friday")
    expect(page.locator("#template-preview")).to_contain_text("Your box now comes on Friday.")
    expect(page.get_by_label("Day")).to_be_focused()
    page.get_by_role("button", name="Send this template").click()
    ours = page.locator("#entries .ply-msg--you")
    expect(ours).to_contain_text("Your box now comes on Friday. Reply to change it.")
    expect(ours).to_contain_text(re.compile("Delivered|Read"), timeout=30_000)
    expect(page.get_by_label("Day")).to_have_value("")


def test_on_a_phone_one_sees_the_list_or_the_talk_and_the_keyboard_walks_the_list(page: Page, connected):
    stack, phone = connected
    page.request.post(f"{stack.url}/signup", data=CREDENTIALS)
    assert page.request.post(f"{stack.url}/login", data=CREDENTIALS).ok
    phone.write("START")
    phone.write("Back again")
    phone.write("Hello by WhatsApp", channel="whatsapp")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{stack.url}/app/inbox")
    links = page.locator("#talks .ply-conv a")
    expect(links).to_have_count(2)
    links.first.focus()
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_be_visible()
    expect(page.locator("#talks")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(page) == []
    page.get_by_role("link", name="All talks").click()
    expect(page.locator("#talks")).to_be_visible()
    page.locator("#talks .ply-conv a").first.click()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("button", name="Open again")).to_be_visible()
    page.get_by_role("link", name="All talks").click()
    expect(page.locator("#talks .ply-conv")).to_have_count(1)
