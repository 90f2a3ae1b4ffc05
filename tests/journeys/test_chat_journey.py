"""Talking with a persona in a real browser: tabs, reloads, keys, a phone."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.hindrances import serious
from tests.support.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PASSWORD = "a good password"
LONG = "What is hardest about planning dinner?"


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """The product with answers slow enough for something to happen in their middle."""
    running = Stack(tmp_path_factory.mktemp("chat"), BUILTIN_TOKEN_DELAY_MS="400").start(workers=2)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def account(stack):
    """Somebody with an audience, made through the API."""
    cookies = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def call(method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        ask = urllib.request.Request(stack.url + path, data, {"Content-Type": "application/json"}, method=method)
        with cookies.open(ask, timeout=60) as answer:
            return json.load(answer)

    email = f"chat{time.time_ns()}@example.com"
    call("POST", "/signup", {"email": email, "password": PASSWORD})
    call("POST", "/login", {"email": email, "password": PASSWORD})
    audience = call("POST", "/audience", {"name": "Orchard & Oat", "business_description": "Organic boxes"})
    segment = call("POST", f"/audience/{audience['audience_id']}/segments", {"name": "Weeknight rescuers"})
    pains = ["planning dinner at five o'clock", "delivery slots that are full", "spinach that goes to waste"]
    data = {"age": 34, "occupation": "Pharmacist", "location": "Leeds", "pain_points": pains,
            "goals": ["cook at home more often"], "values": ["honest labels"]}  # fmt: skip
    segment_id = segment.get("segment_id") or segment["id"]
    call("POST", f"/segments/{segment_id}/personas", {"name": "Priya Nair", "data": data})
    return email


def sign_in(context: BrowserContext, stack, email: str) -> Page:
    page = context.new_page()
    page.faults = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.faults.append(str(error)))  # type: ignore[attr-defined]
    page.on(
        "console",
        lambda message: page.faults.append(message.text) if message.type == "error" else None,  # type: ignore[attr-defined]
    )
    page.goto(f"{stack.url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/app**")
    return page


@pytest.fixture
def page(context: BrowserContext, stack, account) -> Page:
    return sign_in(context, stack, account)


def begin(page: Page, stack, *, has_scripts: bool = True) -> int:
    page.goto(f"{stack.url}/app/conversations/new?q=Priya")
    page.get_by_role("button", name="Talk").first.click()
    page.wait_for_url(re.compile(r"/app/conversations/\d+"))
    if has_scripts:
        expect(page.locator("html[data-live=up]")).to_have_count(1)  # its stream is open: every word is heard
    return int(re.search(r"/conversations/(\d+)", page.url).group(1))  # type: ignore[union-attr]


def say(page: Page, text: str) -> None:
    page.get_by_label("Message to Priya").fill(text)
    page.get_by_label("Message to Priya").press("Enter")
    expect(page.get_by_label("Message to Priya")).to_have_value("")  # taken by the server


def finish(page: Page) -> str:
    """Wait for the answer's end and give its words."""
    expect(page.locator("[data-streaming]")).to_have_count(0, timeout=40_000)
    return page.locator(".ply-msg--persona .ply-msg__text").last.inner_text()


def test_words_appear_as_they_come_and_end_as_the_whole_answer_with_its_facts(page, stack):
    begin(page, stack)
    assert serious(page) == []
    say(page, LONG)
    tail = page.locator("[data-stream-tail]")
    expect(tail).not_to_be_empty()
    first = tail.inner_text()
    whole = finish(page)
    assert len(whole) > len(first)
    expect(page.locator(".ply-conv [aria-current=true]")).to_contain_text("What is hardest about planning dinner")
    page.locator("[data-cite]").first.click()
    expect(page.locator("#evidence .is-on")).to_be_visible()
    assert serious(page) == []
    assert page.faults == []


def test_a_reload_in_the_middle_loses_nothing(page, stack):
    begin(page, stack)
    say(page, LONG)
    expect(page.locator("[data-stream-tail]")).not_to_be_empty()
    page.reload()
    whole = finish(page)
    page.reload()
    assert page.locator(".ply-msg--persona .ply-msg__text").last.inner_text() == whole
    assert page.locator(".ply-msg").count() == 2


def test_two_tabs_show_the_same(page, stack, context):
    conversation = begin(page, stack)
    other = context.new_page()
    other.goto(f"{stack.url}/app/conversations/{conversation}")
    say(page, LONG)
    expect(other.locator(".ply-msg--you")).to_have_count(1)
    expect(other.locator("[data-stream-tail]")).not_to_be_empty()
    assert finish(page) == finish(other)


def test_escape_stops_and_what_came_stays(page, stack):
    begin(page, stack)
    say(page, LONG)
    expect(page.locator("[data-stream-tail]")).not_to_be_empty()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Stopped by you")).to_be_visible()
    assert page.locator(".ply-msg--persona .ply-msg__text").last.inner_text()
    say(page, "And now, in one word?")
    finish(page)
    expect(page.locator(".ply-msg")).to_have_count(4)


def test_shift_enter_makes_a_line_and_enter_sends(page, stack):
    begin(page, stack)
    box = page.get_by_label("Message to Priya")
    box.fill("First line")
    box.press("Shift+Enter")
    box.press_sequentially("second line")
    box.press("Enter")
    expect(page.locator(".ply-msg--you .ply-msg__text")).to_have_text("First line\nsecond line")
    expect(box).to_have_value("")
    finish(page)


def test_editing_sends_something_else_in_the_same_place(page, stack):
    begin(page, stack)
    say(page, "What do you cook on Mondays?")
    finish(page)
    page.locator(".ply-msg--you").hover()
    page.get_by_label("Edit and send again").click()
    expect(page.get_by_label("Message to Priya")).to_have_value("What do you cook on Mondays?")
    say(page, "What do you cook on Sundays?")
    finish(page)
    expect(page.locator(".ply-msg--you")).to_have_count(1)
    expect(page.locator(".ply-msg--you")).to_contain_text("Sundays")
    page.get_by_text("1 earlier answer").click()
    expect(page.locator(".ply-version")).to_have_count(1)


def test_a_conversation_is_renamed_branched_exported_and_deleted(page, stack):
    conversation = begin(page, stack)
    say(page, LONG)
    finish(page)
    page.get_by_label("More", exact=True).click()
    page.get_by_role("link", name="Rename").last.click()
    page.get_by_label("Name of this conversation").fill("Dinner, first talk")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".ply-conv [aria-current=true]")).to_contain_text("Dinner, first talk")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export", exact=True).click()
    assert download.value.suggested_filename.endswith(".md")
    page.get_by_role("button", name="Branch", exact=True).click()
    page.wait_for_url(lambda url: f"/conversations/{conversation}" not in url)
    expect(page.locator(".ply-msg")).to_have_count(2)
    page.get_by_label("More", exact=True).click()
    page.get_by_role("button", name="Delete").last.click()
    page.locator("#confirm [data-part=yes]").click()
    page.wait_for_url("**/app/conversations")
    expect(page.locator(f'.ply-conv a[href$="/{conversation}"]').first).to_be_visible()


def test_it_can_be_used_with_one_thumb(browser: Browser, stack, account):
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="en-GB")
    page = sign_in(phone, stack, account)
    begin(page, stack)
    page.locator("[data-opener]").first.tap()
    finish(page)
    page.locator("[data-cite]").first.tap()
    expect(page.locator("#evidence")).to_be_in_viewport()
    assert serious(page) == []
    page.locator("#evidence").get_by_label("Close").tap()
    expect(page.locator("#evidence")).not_to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("All conversations").tap()
    expect(page.locator(".ply-convs")).to_be_visible()
    phone.close()


def test_without_javascript_one_can_ask_and_read(browser: Browser, stack, account):
    plain = browser.new_context(java_script_enabled=False, viewport={"width": 1200, "height": 800})
    page = sign_in(plain, stack, account)
    begin(page, stack, has_scripts=False)
    page.get_by_label("Message to Priya").fill(LONG)
    page.get_by_role("button", name="Send").click()
    link = page.get_by_role("link", name="Show the answer")
    deadline = time.monotonic() + 60
    while link.count() and time.monotonic() < deadline:
        link.click()
        time.sleep(0.3)
    assert len(page.locator(".ply-msg--persona .ply-msg__text").last.inner_text()) > 20
    plain.close()


def test_an_answer_whose_worker_is_killed_in_the_middle_finishes_by_itself(page, stack):
    begin(page, stack)
    say(page, LONG)
    expect(page.locator("[data-stream-tail]")).not_to_be_empty()
    for name in [name for name in stack.processes if name.startswith("worker")]:
        stack.kill(name)
    stack.start_worker("worker-new")
    expect(page.locator("[data-streaming]")).to_have_count(1)
    whole = finish(page)  # without a reload: the page throws the first beginning away
    assert whole
    page.reload()
    expect(page.locator(".ply-msg--persona .ply-msg__text").last).to_have_text(whole)
    assert page.locator(".ply-msg").count() == 2
