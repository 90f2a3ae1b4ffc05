"""A marketer makes a campaign step by step, launches it, watches it go, pauses it, resumes it, and reads who was left
out and why."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from app.sandbox import create_sandbox
from app.sandbox.server import SandboxServer
from tests.support.hindrances import serious
from tests.support.stack import Stack
from tests.support.valkey import free_port

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ACCOUNT, TOKEN = "AC5a4db0c55a4db0c55a4db0c55a4db0c5", "7e575a4db0c57e575a4db0c57e575a4d"
CREDENTIALS = {"email": "campaigns@example.com", "password": "a good password"}
API = "/messaging/api/v1"
PEOPLE = 36


@pytest.fixture(scope="module")
def connected(tmp_path_factory) -> Iterator[Stack]:
    """The product with an account at the provider, which calls it back; a phone that does not exist is one of them."""
    sandbox = SandboxServer(create_sandbox(token_delay_ms=0))
    sandbox.start()
    stack = Stack(
        tmp_path_factory.mktemp("campaign"), TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_AUTH_TOKEN=TOKEN,
        TWILIO_SMS_SENDER="+15005550006", TWILIO_SENDER_RATE="0", TWILIO_BASE_URL=f"{sandbox.url}/twilio",
        ALLOW_PRIVATE_URLS="true",
    )  # fmt: skip
    stack.port = free_port()
    stack.url = stack.env["PUBLIC_URL"] = f"http://127.0.0.1:{stack.port}"
    stack.start(workers=1)
    outcomes = {number(n): "delivered" for n in range(PEOPLE)} | {number(1): "undelivered:30005"}
    settings = json.dumps({"numbers": outcomes, "delay_ms": 50}).encode()
    call = urllib.request.Request(
        f"{sandbox.url}/_control/twilio", settings, {"Content-Type": "application/json"}, method="POST"
    )
    urllib.request.urlopen(call, timeout=10).close()
    yield stack
    stack.stop()
    sandbox.stop()


def number(n: int) -> str:
    return f"+4915112345{n:03}"


@pytest.fixture
def marketer(page: Page, connected: Stack) -> Page:
    """Signed in to a workspace with people, some of whom said no, and two texts."""
    url = connected.url
    page.request.post(f"{url}/signup", data=CREDENTIALS)
    assert page.request.post(f"{url}/login", data=CREDENTIALS).ok
    if page.request.get(f"{url}{API}/templates").json()["total"]:
        return page
    rows = ["phone_e164,name,consent_state"]
    states = ["STOP", "OPT_OUT"]
    rows += [f"{number(n)},Person {n},OPT_IN" for n in range(PEOPLE)]
    rows += [f"{number(900 + n)},No {n},{state}" for n, state in enumerate(states)]
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
    assert page.request.post(f"{url}{API}/users/bulk/upload", multipart={"file": file}).ok
    for name, content in (
        ("Dal", "Hi {name|there}, dal tonight? https://example.com/dal"),
        ("Price", "8 off, {name|you}"),
    ):
        assert page.request.post(f"{url}{API}/templates", data={"name": name, "content": content}).ok
    body = {"name": "Everyone", "filter_criteria": {"type": "random", "seed": "all", "from": 0, "to": 100}}
    assert page.request.post(f"{url}{API}/segments", data=body).ok
    return page


def test_a_campaign_from_the_first_step_to_its_end(marketer: Page, connected: Stack):
    page, faults = marketer, []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(f"{connected.url}/app/campaigns")
    assert serious(page) == []
    page.get_by_role("link", name="New campaign").click()

    page.get_by_role("button", name="Next: what").click()
    expect(page).to_have_url(re.compile("/new$"))  # the browser itself asks for what is missing
    page.get_by_label("Name", exact=True).fill("Weeknight dal")
    page.get_by_label("Whom to write to").select_option(index=1)
    page.get_by_role("button", name="Next: what").click()

    page.get_by_label("Text A").select_option(label="Dal · SMS")
    preview = page.locator("#campaign-preview")
    expect(preview).to_contain_text(re.compile(r"Hi Person \d+, dal tonight\?"))
    expect(preview).to_contain_text("1 of 36")
    page.get_by_role("button", name="Next person").click()
    expect(preview).to_contain_text("2 of 36")
    page.get_by_text("Try several texts").click()
    page.get_by_label("Text B").select_option(label="Price · SMS")
    expect(preview).to_contain_text("8 off, Person")
    assert serious(page) == []
    page.get_by_role("button", name="Next: when").click()

    page.get_by_label("Messages a second").fill("4")
    page.get_by_text("Others for this campaign").click()
    quiet_far_from_now(page)
    assert serious(page) == []
    page.get_by_role("button", name="Next: review").click()

    expect(page.locator("[data-sendable]")).to_have_text("36")
    forecast = page.locator("#campaign-forecast")
    expect(forecast).to_contain_text("of 38 people in the segment")
    expect(forecast).to_contain_text("Said STOP")
    expect(forecast).to_contain_text("Nobody writes to them again until they send START, or agree anew.")
    assert serious(page) == []
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Messages a second")).to_have_value("4")
    page.get_by_role("button", name="Next: review").click()
    page.get_by_role("button", name="Launch now").click()
    dialog = page.get_by_role("dialog", name="Launch it now?")
    expect(dialog).to_contain_text("About 36 people will be written to")
    dialog.get_by_role("button", name="Launch").click()

    expect(page.get_by_role("heading", name="Weeknight dal")).to_be_visible()
    done, state = page.locator("[data-done]"), page.locator("[data-state]")
    expect(done).not_to_have_text("0", timeout=20_000)
    page.get_by_role("button", name="Pause").click()
    dialog = page.get_by_role("dialog", name="Pause this campaign?")
    expect(dialog).to_contain_text("until you resume")
    dialog.get_by_role("button", name="Pause").click()
    expect(state).to_have_text("Paused", timeout=10_000)
    reached = settled(page, connected)
    assert 0 < reached < PEOPLE
    page.wait_for_timeout(3000)
    assert settled(page, connected) == reached, "nothing more leaves while it is paused"
    page.reload()
    expect(done).to_have_text(str(reached))
    assert serious(page) == []

    page.get_by_role("button", name="Resume").click()
    page.get_by_role("dialog", name="Go on sending?").get_by_role("button", name="Resume").click()
    expect(state).to_have_text("Sending")
    page.evaluate("window.stillHere = true")
    expect(state).to_have_text("Finished", timeout=60_000)
    assert page.evaluate("window.stillHere") is True, "it was watched, not reloaded"
    expect(page.locator("[data-delivered]")).to_have_text("35", timeout=30_000)
    lines = page.locator("#log-lines")
    expect(lines).to_contain_text("Delivered", timeout=30_000)
    expect(lines).not_to_contain_text("Waiting", timeout=30_000)
    expect(page.locator(".ply-chart__plot canvas")).to_be_visible()
    page.wait_for_function(  # the chart's numbers came while it ran
        "[...document.querySelectorAll('#campaign-minutes [data-v]')].reduce((n, one) => n + +one.dataset.v, 0) >= 35",
        timeout=40_000,
    )
    assert page.evaluate("window.stillHere") is True
    run = page.locator("#campaign-run")
    expect(run).to_contain_text("of 36 done, 100.0")
    expect(run).to_contain_text("Number is no good")
    expect(run).to_contain_text("The number is marked; it is not tried again.")
    run.get_by_role("link", name="Said STOP").click()
    expect(page.locator("#campaign-log")).to_contain_text("No 0")
    expect(page.locator("#campaign-log tbody tr")).to_have_count(1)
    assert serious(page) == []
    page.get_by_label("State").select_option("failed")
    expect(page.locator("#campaign-log")).to_contain_text("Person 1")
    assert faults == []


def settled(page: Page, stack: Stack) -> int:
    """How many left, once what a worker had in its hands is written."""
    counts = [-1]
    for _ in range(40):
        listed = page.request.get(f"{stack.url}{API}/campaigns").json()["campaigns"]
        counts.append(listed[0]["messages_sent"])
        if counts[-1] == counts[-2]:
            return counts[-1]
        page.wait_for_timeout(1500)
    raise AssertionError(f"it goes on: {counts}")


def quiet_far_from_now(page: Page) -> None:
    """A minute of quiet, twelve hours from now: the story can be told at any hour."""
    clock = page.evaluate("new Date(Date.now() + 12 * 3600e3).toISOString().slice(11, 16)")
    hour = int(clock[:2])
    page.get_by_label("Quiet from").fill(f"{hour:02}:00")
    page.get_by_label("Quiet until").fill(f"{hour:02}:01")


def test_on_a_phone_the_run_fits_and_the_keyboard_reaches_its_buttons(marketer: Page, connected: Stack):
    page = marketer
    launch(page, connected, "Weeknight soup", rate_limit_per_second=None)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{connected.url}/app/campaigns")
    page.get_by_role("link", name="Weeknight soup", exact=True).click()
    expect(page.locator("[data-state]")).to_have_text("Finished", timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(page) == []
    page.get_by_label("More actions").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copy").press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Weeknight soup, copy")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def slow_run(page: Page, stack: Stack) -> None:
    """The page of a campaign that sends for a minute and more."""
    launch(page, stack, "Slow", rate_limit_per_second=0.5)
    page.goto(f"{stack.url}/app/campaigns")
    page.get_by_role("link", name="Slow", exact=True).click()
    expect(page.locator("[data-done]")).not_to_have_text("0", timeout=20_000)


def launch(page: Page, stack: Stack, name: str, **limits: float | None) -> None:
    """A campaign to everyone, quiet far from now, begun."""
    url = f"{stack.url}{API}"
    template = page.request.get(f"{url}/templates").json()["templates"][0]["id"]
    segment = page.request.get(f"{url}/segments").json()["segments"][0]["id"]
    clock = page.evaluate("new Date(Date.now() + 12 * 3600e3).toISOString().slice(11, 14)")
    body = {
        "name": name, "template_id": template, "segment_id": segment, "quiet_hours_start": f"{clock}00",
        "quiet_hours_end": f"{clock}01", **limits,
    }  # fmt: skip
    made = page.request.post(f"{url}/campaigns", data=body).json()
    for _ in range(40):  # until the people of the segment are found
        if page.request.post(f"{url}/campaigns/{made['id']}/trigger").ok:
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"{name} was not begun")


def drawn_again_after(page: Page, one: Locator, key: str = "") -> None:
    """Focused, the key pressed there, and replaced by a newer one like it."""
    one.focus()
    one.evaluate("element => { element.dataset.before = 1; }")
    if key:
        one.press(key)
        expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.locator("[data-before]")).to_have_count(0, timeout=15_000)


def test_while_the_run_moves_the_keyboard_stays_where_it_is(marketer: Page, connected: Stack):
    page = marketer
    slow_run(page, connected)
    run = page.locator("#campaign-run")
    pause = run.get_by_role("button", name="Pause")
    reason = run.get_by_role("link", name="Said STOP")
    line = page.locator("#log-lines").get_by_role("link").nth(5)
    person = page.locator("#log-lines").get_by_role("link", name=line.text_content(), exact=True)
    for one in (pause, run.get_by_role("button", name="Cancel"), reason, person):
        drawn_again_after(page, one)
        expect(one).to_be_focused()

    dialog = page.get_by_role("dialog", name="Pause this campaign?")
    drawn_again_after(page, pause, "Enter")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(pause).to_be_focused()
    drawn_again_after(page, pause, "Enter")
    dialog.get_by_role("button", name="Pause").press("Enter")
    expect(page.locator("[data-state]")).to_have_text("Paused", timeout=10_000)
