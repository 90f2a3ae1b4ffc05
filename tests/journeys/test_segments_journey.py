"""A marketer says who they mean in a real browser: once by mouse, once without one, and sees the count follow."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.hindrances import serious

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CDP = "/api/v1/cdp"


@pytest.fixture
def signed_in(enter, stack) -> Page:
    """Ada and Grace bought twice, Alan once; Grace agreed to SMS. Alan lives in Leeds."""
    page = enter("segments@example.com")
    if page.request.get(f"{stack.url}{CDP}/profiles").json()["total"] == 0:
        for name, city, orders in (("ada", "London", 2), ("grace", "York", 2), ("alan", "Leeds", 1)):
            profile_id = tell_of(page, stack, name, city, orders)
            if name == "grace":
                body = {"channel": "sms", "state": "granted"}
                assert page.request.post(f"{stack.url}{CDP}/profiles/{profile_id}/consent", data=body).ok
    return page


def tell_of(page: Page, stack, name: str, city: str, orders: int) -> int:
    traits = {"name": name.capitalize(), "email": f"{name}@example.com", "city": city}
    events = [{"event_name": "signup", "user_id": name, "traits": traits}]
    for number in range(orders):
        at = (datetime.now(UTC) - timedelta(days=number + 1)).isoformat()
        events.append({"event_name": "purchase", "user_id": name, "timestamp": at, "properties": {"amount": 20}})
    for event in events:
        answer = page.request.post(f"{stack.url}{CDP}/events", data=event)
        assert answer.ok, answer.text()
    return answer.json()["profile_id"]


def count(page: Page) -> Locator:
    return page.locator("#preview [data-part=count]")


def wait_until_counted(page: Page, stack) -> None:
    """What came in is folded into the index a moment later."""
    for _ in range(100):
        if page.request.get(f"{stack.url}{CDP}/health").json()["waiting"] == 0:
            return
        page.wait_for_timeout(200)
    raise AssertionError("the events were not folded in time")


def test_a_segment_is_built_by_mouse_and_appears_on_the_list(signed_in: Page, stack, faults):
    page = signed_in
    wait_until_counted(page, stack)
    page.goto(f"{stack.url}/app/segments")
    assert serious(page) == []
    page.get_by_role("link", name="New segment").first.click()

    expect(count(page)).to_have_text("3")
    page.get_by_label("How often", exact=True).select_option("at_least")
    expect(page.get_by_label("Times", exact=True)).to_have_value("2")
    expect(count(page)).to_have_text("2")

    page.get_by_role("button", name="Add a condition").click()
    second = page.locator("[data-node='1']")
    second.get_by_label("Kind of condition", exact=True).select_option("consent")
    second.get_by_label("Is or is not", exact=True).select_option("is_not")
    expect(count(page)).to_have_text("1")
    expect(page.locator("[data-sentence]")).to_contain_text("consent to SMS is not granted")
    expect(page.locator(".ply-cond__n").first).to_have_text("2")
    expect(page.locator("#preview").get_by_role("link", name="Ada")).to_be_visible()
    assert serious(page) == []

    page.get_by_role("button", name="Undo").click()
    expect(second.get_by_label("Is or is not", exact=True)).to_have_value("is")
    expect(page.locator("[data-sentence]")).to_contain_text("consent to SMS is granted")
    page.get_by_role("button", name="Redo").click()
    expect(second.get_by_label("Is or is not", exact=True)).to_have_value("is_not")

    page.get_by_label("Name", exact=True).fill("Bought twice, no SMS")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"/app/segments/\d+$"))
    expect(page.locator(".seg-figure")).to_have_text("1", timeout=15_000)
    expect(page.locator("#members")).to_contain_text("Ada")
    assert serious(page) == []

    tell_of(page, stack, "alan", "Leeds", 1)
    expect(page.locator(".seg-figure")).to_have_text("2", timeout=15_000)
    expect(page.locator("#members")).to_contain_text("Alan")
    expect(page.locator("#segment-history")).to_contain_text("1 entered")

    page.get_by_label("Name, e-mail or phone").last.fill("grace")
    page.locator(".seg-found a").first.click()
    expect(page.locator("#why-answer")).to_contain_text("Grace is not in this segment")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Segments").click()
    row = page.get_by_role("row").filter(has_text="Bought twice, no SMS")
    expect(row).to_contain_text("at least twice in the last 90 days and whose consent to SMS is not granted")

    row.get_by_role("link").click()
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete this segment?")
    expect(dialog.get_by_role("button", name="Delete it")).to_be_disabled()
    dialog.get_by_role("textbox").fill("Bought twice, no SMS")
    dialog.get_by_role("button", name="Delete it").click()
    expect(page).to_have_url(re.compile(r"/app/segments$"))
    expect(page.get_by_role("row").filter(has_text="Bought twice, no SMS")).to_have_count(0)
    assert faults == []


def tab_to(page: Page, target: str, *, back: bool = False) -> None:
    """Press Tab until the focus is on what the selector names."""
    for _ in range(120):
        if page.evaluate("wanted => document.activeElement?.matches(wanted)", target):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"Tab never reached {target}")


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement?.dataset.word || ''")


def test_a_segment_is_built_without_a_mouse(signed_in: Page, stack, faults):
    page, keys = signed_in, signed_in.keyboard
    wait_until_counted(page, stack)
    page.goto(f"{stack.url}/app/segments/new")
    expect(count(page)).to_have_text("3")

    tab_to(page, "#field-name")
    keys.type("Leeds, by keyboard")
    tab_to(page, "[data-word='/add']")
    keys.press("Enter")
    assert focused(page) == "1/kind", "a new condition has the focus"
    keys.type("trait")
    expect(page.locator("[data-word='1/trait']")).to_be_visible()
    assert focused(page) == "1/kind", "the focus stays on the word that was changed"
    tab_to(page, "[data-word='1/trait']")
    keys.press("Control+A")
    keys.type("city")
    keys.press("Tab")
    keys.press("Home")
    expect(page.locator("[data-word='1/operator']")).to_have_value("equals")
    expect(page.locator(".seg-gap")).to_be_visible()
    keys.press("Tab")
    keys.type("Leeds")
    expect(count(page)).to_have_text("1")
    keys.press("Enter")
    assert page.url.endswith("/new"), "Enter in a word does not send the form"

    keys.press("Control+Z")
    expect(page.locator("[data-word='1/value']")).not_to_have_value("Leeds")
    keys.press("Control+Shift+Z")
    expect(page.locator("[data-word='1/value']")).to_have_value("Leeds")

    tab_to(page, "[data-word='1/kind']", back=True)
    keys.press("Alt+ArrowUp")
    expect(page.locator("[data-word='0/trait']")).to_have_value("city")
    assert focused(page).startswith("0/"), "the focus moves along"
    tab_to(page, "[data-word='1/remove']")
    keys.press("Enter")
    expect(page.locator(".ply-cond")).to_have_count(1)
    assert focused(page) == "0/remove"
    expect(page.locator("[data-part=live]")).to_contain_text("1 person")

    tab_to(page, "[role=tab][aria-selected=true]", back=True)
    keys.press("ArrowRight")
    expect(page.get_by_label("Condition as JSON")).to_be_visible()
    assert serious(page) == []
    tab_to(page, "#field-name", back=True)
    keys.press("Enter")
    expect(page).to_have_url(re.compile(r"/app/segments/\d+$"))
    expect(page.locator(".seg-figure")).to_have_text("1", timeout=15_000)
    assert faults == []


def test_what_the_server_refuses_is_marked_at_its_condition(signed_in: Page, stack):
    page = signed_in
    page.goto(f"{stack.url}/app/segments/new")
    page.get_by_label("Days", exact=True).fill("99999")
    first = page.locator("[data-node='0']")
    expect(first.locator(".ply-error")).to_contain_text("last_N_days")
    expect(page.locator("[data-part=state]")).to_have_text("not counted")
    page.get_by_label("Days", exact=True).fill("30")
    expect(first.locator(".ply-error")).to_have_count(0)
    expect(count(page)).to_have_text(re.compile(r"\d"))

    page.get_by_role("tab", name="JSON").click()
    page.get_by_label("Condition as JSON").fill('{"operator": "and", "conditions": [')
    expect(page.locator("#json-error")).to_contain_text("not JSON yet")
    page.get_by_label("Condition as JSON").fill('{"type": "identifier", "kind": "email"}')
    expect(page.locator("#json-error")).to_be_hidden()
    page.get_by_role("tab", name="Sentences").click()
    expect(page.get_by_label("Identifier", exact=True)).to_have_value("email")


def test_without_scripts_the_json_field_counts_and_saves(browser, signed_in: Page, stack):
    context = browser.new_context(java_script_enabled=False, storage_state=signed_in.context.storage_state())
    page = context.new_page()
    page.goto(f"{stack.url}/app/segments/new?example=never")
    page.get_by_role("button", name="Count").click()
    expect(page.locator("#preview")).to_contain_text("of 3")
    page.get_by_label("Name", exact=True).fill("Without scripts")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Without scripts")).to_be_visible()
    context.close()
