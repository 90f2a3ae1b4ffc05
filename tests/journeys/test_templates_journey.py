"""A marketer writes a text in a real browser, sees it as real people will read it, and has it approved."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.hindrances import serious

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CDP = "/api/v1/cdp"


@pytest.fixture
def signed_in(enter, stack) -> Page:
    """Ada of London and Grace of nowhere agreed to SMS."""
    page = enter("templates@example.com")
    if page.request.get(f"{stack.url}{CDP}/profiles").json()["total"] == 0:
        for number, (name, traits) in enumerate((("Ada", {"city": "London"}), ("Grace", {}))):
            traits = traits | {"name": f"{name} Lee", "phone": f"+1415555012{number}"}
            answer = page.request.post(
                f"{stack.url}{CDP}/events", data={"event_name": "signup", "user_id": name, "traits": traits}
            )
            assert answer.ok, answer.text()
            consent = f"{stack.url}{CDP}/profiles/{answer.json()['profile_id']}/consent"
            assert page.request.post(consent, data={"channel": "sms", "state": "granted"}).ok
    wait_until_counted(page, stack)
    return page


def wait_until_counted(page: Page, stack) -> None:
    """What came in is folded into the index a moment later."""
    for _ in range(100):
        if page.request.get(f"{stack.url}{CDP}/health").json()["waiting"] == 0:
            return
        page.wait_for_timeout(200)
    raise AssertionError("the events were not folded in time")


def test_a_text_is_written_seen_by_real_people_saved_and_changed(signed_in: Page, stack, faults):
    page = signed_in
    page.goto(f"{stack.url}/app/templates")
    expect(page.get_by_role("heading", name="Write once, speak to each by name")).to_be_visible()
    assert serious(page) == []
    page.get_by_role("link", name="New template").click()

    page.get_by_label("Name", exact=True).fill("Come back")
    text = page.get_by_label("Text", exact=True)
    bubble = page.locator("#template-check .tpl-bubble")
    text.fill("Hi {first_name}, see you in ")
    expect(bubble).to_have_text("Hi Ada, see you in")
    page.get_by_role("button", name="city", exact=True).click()
    expect(text).to_have_value("Hi {first_name}, see you in {city}")
    expect(bubble).to_have_text("Hi Ada, see you in London")
    expect(page.locator("#template-check")).to_contain_text("1 of 2 lacks it, and would be left out")

    page.get_by_role("button", name="Next person").click()
    expect(bubble).to_have_text("Hi Grace, see you in [city]")
    expect(page.locator("#template-check")).to_contain_text("Grace Lee has no city")
    page.get_by_label("Words for who has no city").fill("town")
    page.keyboard.press("Enter")
    expect(text).to_have_value("Hi {first_name}, see you in {city|town}")
    expect(bubble).to_have_text("Hi Grace, see you in town")
    expect(page.locator("#template-count")).to_contain_text("1 part")
    expect(page.locator("#template-check")).to_contain_text("for 2 people, 1.00 parts each")

    page.get_by_label("Somebody in particular").fill("ada")
    page.get_by_role("button", name="Ada Lee").click()
    expect(bubble).to_have_text("Hi Ada, see you in London")
    assert serious(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"/app/templates/\d+$"))
    expect(page.get_by_role("link", name="Version 1")).to_be_visible()

    text.fill("“Hello” {first_name|you}, " + "see you in {city|town} soon, we kept your seat for you")
    expect(page.locator("#template-count")).to_contain_text("UCS-2")
    page.get_by_role("button", name="Write them plainly").click()
    expect(text).to_have_value(re.compile('^"Hello" '))
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Version 2").click()
    expect(page.locator(".tpl-diff ins").first).to_contain_text('"Hello"')
    assert serious(page) == []
    page.get_by_role("link", name="Earlier").click()
    page.get_by_role("button", name="Use this text again").click()
    expect(text).to_have_value("Hi {first_name}, see you in {city|town}")
    page.goto(f"{stack.url}/app/templates")
    expect(page.get_by_role("row").filter(has_text="Come back")).to_contain_text("Ready")
    assert serious(page) == []
    assert faults == []


def test_a_brace_that_is_not_closed_is_told_while_writing_and_refused_beside_the_field(signed_in: Page, stack):
    page = signed_in
    page.goto(f"{stack.url}/app/templates/new")
    page.get_by_label("Name", exact=True).fill("Half")
    page.get_by_label("Text", exact=True).fill("Hi {first_name")
    expect(page.locator("#template-check")).to_contain_text("The brace at character 4 is opened and not closed")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#field-content-error")).to_contain_text("The brace at character 4")
    expect(page.get_by_label("Text", exact=True)).to_have_value("Hi {first_name")
    assert serious(page) == []


def test_a_text_is_written_without_a_mouse_on_a_phone(signed_in: Page, stack, faults):
    page, keys = signed_in, signed_in.keyboard
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{stack.url}/app/templates/new?example=order")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_label("Name", exact=True).focus()
    keys.press("Control+A")
    keys.type("By keyboard")
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Control+A")
    keys.type("Hello {{first_name|friend}}, ")
    expect(page.locator("#template-check .tpl-bubble")).to_contain_text("Hello {first_name|friend}")
    keys.press("Control+A")
    keys.type("Hello {first_name|friend}")
    expect(page.locator("#template-check .tpl-bubble")).to_have_text("Hello Ada")
    assert serious(page) == []
    page.get_by_role("button", name="Save").press("Enter")
    expect(page).to_have_url(re.compile(r"/app/templates/\d+$"))
    assert faults == []
