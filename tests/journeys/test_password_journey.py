"""Choosing a password in a browser: the meter while one types, the eye that shows it, and the way without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_the_meter_follows_what_is_typed_and_tells_it_in_words(page, stack):
    page.goto(f"{stack.url}/signup")
    field, meter = page.get_by_label("Password", exact=True), page.locator(".ply-meter")
    expect(meter.locator("progress")).to_be_hidden()
    for typed, said in (
        ("abc", "Too short. 5 more characters at least."),
        ("password123", "Too easy to guess. This is a very common password: add another word or two."),
        ("four quiet winter boats", "Strong."),
    ):
        field.fill(typed)
        expect(meter.locator("[aria-live=polite]")).to_have_text(said)
    expect(meter.locator("progress")).to_have_js_property("value", 4)
    field.fill("")
    expect(meter.locator("progress")).to_be_hidden()


def test_the_meter_asks_once_typing_pauses_and_not_at_every_key(page, stack):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/password/strength" in request.url else None)
    page.goto(f"{stack.url}/signup")
    page.get_by_label("Password", exact=True).press_sequentially("four quiet winter boats", delay=20)
    expect(page.locator(".ply-meter p")).to_have_text("Strong.")
    assert 1 <= len(asked) <= 3


def test_the_eye_shows_the_password_and_hides_it_again(page, stack):
    page.goto(f"{stack.url}/signup")
    field = page.get_by_label("Password", exact=True)
    page.get_by_role("button", name="Show password").click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password").click()
    expect(field).to_have_attribute("type", "password")


def test_without_script_the_server_says_what_is_wrong(browser, stack):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{stack.url}/signup")
    expect(page.locator(".ply-meter")).to_be_hidden()
    page.fill("[name=email]", "noscript@example.com")
    page.fill("[name=password]", "password123")
    page.click("main form button[type=submit]")
    expect(page.locator(".ply-error")).to_contain_text("too easy to guess")
    context.close()
