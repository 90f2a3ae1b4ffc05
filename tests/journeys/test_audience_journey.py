"""Making an audience in a real browser: it fills in before one's eyes, and what one is writing stays."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.support.hindrances import serious

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
WORKERS = ("worker0", "worker1")


@pytest.fixture
def signed_up(page: Page, stack) -> Page:
    page.goto(f"{stack.url}/signup")
    page.get_by_label("E-mail").fill(f"maker{time.time_ns()}@example.com")
    page.get_by_label("Password", exact=True).fill("a good password")
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile(r"/app$"))
    return page


@pytest.fixture
def no_workers(stack):
    """Nobody works until the test says so; afterwards everyone does."""

    def begin() -> None:
        for name in WORKERS:
            if name not in stack.processes:
                stack.start_worker(name)

    for name in WORKERS:
        stack.kill(name)
    yield begin
    begin()


def make_audience(page: Page, stack, example: str) -> None:
    page.goto(f"{stack.url}/app/audiences/new")
    page.get_by_role("button", name=example).click()
    page.get_by_role("button", name="Make the audience").click()
    expect(page).to_have_url(re.compile(r"/app/audiences/\d+$"))


def test_a_new_audience_fills_in_without_a_reload_and_leads_to_a_persona(signed_up, stack, no_workers, faults):
    page = signed_up
    make_audience(page, stack, "Organic grocer")
    expect(page.get_by_role("heading", name="Waiting for its turn")).to_be_visible()
    page.evaluate("window.neverReloaded = true")
    no_workers()
    expect(page.locator(".aud-made")).to_be_visible(timeout=30_000)
    assert page.locator("article.ply-persona").count() >= 3
    expect(page.locator(".ply-chart canvas")).to_be_visible()
    assert page.evaluate("window.neverReloaded")
    assert serious(page) == []

    card = page.locator("article.ply-persona").first
    name = card.locator("h3").inner_text()
    card.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_role("heading", name="Pains")).to_be_visible()
    assert serious(page) == []
    assert faults == []


def test_what_one_is_writing_stays_while_the_page_follows_others(signed_up, stack, context, faults):
    page = signed_up
    make_audience(page, stack, "Neighbourhood gym")
    expect(page.locator(".aud-made")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Edit: Summary").click()
    editor = page.get_by_role("textbox", name="Summary")
    expect(editor).to_be_focused()
    editor.fill("They come back when")

    other = context.new_page()
    other.goto(page.url)
    chart = page.locator(".ply-chart canvas")
    chart.evaluate("canvas => { canvas.marked = true }")
    other.get_by_role("link", name="Edit: Recommendations").click()
    other.get_by_role("textbox", name="Recommendations").fill("Ring them in week six")
    other.get_by_role("button", name="Save").click()

    expect(page.locator("#audience-field-recommendations")).to_contain_text("Ring them in week six", timeout=10_000)
    expect(editor).to_have_value("They come back when")
    assert chart.evaluate("canvas => canvas.marked === true"), "a part that did not change was drawn again"

    editor.fill("They come back when someone notices.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("They come back when someone notices.")).to_be_visible()
    expect(page.get_by_role("link", name="Edit: Summary")).to_be_focused()
    expect(other.locator("#audience-field-summary")).to_contain_text("someone notices.", timeout=10_000)
    assert faults == []


def test_fields_of_ones_own_are_added_to_a_persona(signed_up, stack, faults):
    page = signed_up
    make_audience(page, stack, "Payroll software")
    expect(page.locator(".aud-made")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Add a persona").click()
    page.get_by_label("Name", exact=True).first.fill("Priya Nair")
    extra = page.locator("[data-extra]")
    extra.last.get_by_label("Name").fill("pets")
    extra.last.get_by_label("Content").fill("Two greyhounds")
    page.get_by_role("button", name="Add a field").click()
    extra.last.get_by_label("Name").fill("boats")
    page.get_by_role("button", name="Add a field").click()
    extra.nth(1).get_by_role("button", name="Remove this field").click()
    page.get_by_role("button", name="Add the persona").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Priya Nair")
    expect(page.get_by_text("Two greyhounds")).to_be_visible()
    expect(page.get_by_text("Boats")).to_have_count(0)
    assert faults == []
