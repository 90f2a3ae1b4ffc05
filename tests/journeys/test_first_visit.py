"""A stranger's first ten minutes, in a real browser over real processes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.hindrances import serious

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_from_sign_up_to_a_conversation_and_out_again(page: Page, stack):
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)

    page.goto(f"{stack.url}/")
    page.get_by_role("link", name="Create a workspace").first.click()
    page.get_by_label("E-mail").fill("stranger@example.com")
    page.get_by_label("Password", exact=True).fill("a good password")
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile(r"/app$"))
    assert serious(page) == []

    page.goto(f"{stack.url}/app/audiences/new")
    page.get_by_role("button", name="Organic grocer").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Orchard & Oat")
    page.get_by_role("button", name="Make the audience").click()
    expect(page).to_have_url(re.compile(r"/app/audiences/\d+$"))
    expect(page.locator(".ply-persona").first).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Made in")).to_be_visible(timeout=20_000)
    assert page.locator("article.ply-persona").count() >= 3

    page.get_by_role("button", name="Chat").first.click()
    expect(page).to_have_url(re.compile(r"/app/conversations/\d+"))
    expect(page.locator("html[data-live=up]")).to_have_count(1)  # its scripts run: Enter sends
    composer = page.get_by_role("textbox", name=re.compile("^(Ask|Message)"))
    composer.fill("What is the hardest part of dinner on a weekday?")
    composer.press("Enter")
    answer = page.locator(".ply-msg--persona .ply-msg__text").last
    expect(answer).not_to_be_empty(timeout=15_000)
    page.reload()  # in the middle of the answer or just after it: both must end in the whole answer
    expect(page.locator(".ply-msg--persona[aria-busy=true]")).to_have_count(0, timeout=20_000)
    whole = page.locator(".ply-msg--persona .ply-msg__text").last.inner_text()
    assert len(whole) > 20
    page.reload()
    expect(page.locator(".ply-msg--persona .ply-msg__text").last).to_have_text(whole)
    assert serious(page) == []

    page.get_by_label(re.compile("^Account")).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(r"/login"))
    page.goto(f"{stack.url}/app/audiences")
    expect(page).to_have_url(re.compile(r"/login\?next="))
    assert faults == []
