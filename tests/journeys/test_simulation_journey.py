"""A marketer asks a panel in a real browser and reads what it says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.hindrances import serious

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
BRIEF = {
    "name": "Orchard & Oat",
    "business_description": "Organic groceries in a weekly box, delivered to the door",
    "industry": "Retail",
    "location": "United States",
    "age_range": "25-45",
    "core_need": "Healthy dinners without planning",
}


@pytest.fixture
def signed_in(enter) -> Page:
    return enter("panel@example.com")


def make_audience(page: Page, stack) -> int:
    audience_id = page.request.post(f"{stack.url}/audience", data=BRIEF).json()["audience_id"]
    for _ in range(120):
        if page.request.get(f"{stack.url}/audience/{audience_id}/insight").json()["state"] == "ready":
            return audience_id
        page.wait_for_timeout(250)
    raise AssertionError("the audience was not made in time")


def test_a_panel_is_asked_and_its_report_fills_in_by_itself(signed_in: Page, stack):
    page, audience_id = signed_in, make_audience(signed_in, stack)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)

    page.goto(f"{stack.url}/app/simulations")
    page.get_by_role("link", name=re.compile("New simulation|Ask a panel")).first.click()
    page.get_by_label("Audience", exact=True).select_option(str(audience_id))
    people = page.locator('input[name="persona_ids"]')
    expect(people.first).to_be_checked()
    count = people.count()
    expect(page.locator("#estimate")).to_contain_text(f"{count}\u00a0personas")

    page.locator("[data-segment-all]").first.uncheck()
    ticked = page.locator('input[name="persona_ids"]:checked').count()
    assert ticked < count
    expect(page.locator("[data-chosen]")).to_have_text(f"{ticked} of {count} chosen")
    expect(page.locator("#estimate")).to_contain_text(f"{ticked}\u00a0persona")

    page.get_by_role("button", name="Example message").click()
    expect(page.get_by_label("Message to show them")).not_to_have_value("")
    assert serious(page) == []
    page.get_by_role("button", name="Ask the panel").click()

    expect(page).to_have_url(re.compile(r"/app/simulations/\d+$"))
    expect(page.get_by_text("Mean stance")).to_be_visible(timeout=20_000)
    expect(page.locator(".sim-reply")).to_have_count(ticked)
    expect(page.locator("[data-chart=stances] canvas")).to_be_visible()
    assert serious(page) == []

    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Edit name and description").click()
    dialog = page.get_by_role("dialog", name="Edit simulation")
    dialog.get_by_label("Name").fill("Half price month")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Half price month")

    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Run again with seed 2").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Half price month, seed 2")
    expect(page.get_by_text("Mean stance")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Who moved")).to_be_visible()
    assert serious(page) == []

    page.goto(f"{stack.url}/app/simulations")
    expect(page.locator(".sim-card")).to_have_count(2)
    assert serious(page) == []
    page.get_by_label("Actions for Half price month, seed 2").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".sim-card")).to_have_count(1)
    assert faults == []


def test_a_simulation_can_be_started_without_javascript(signed_in: Page, stack, browser):
    audience_id = make_audience(signed_in, stack)
    context = browser.new_context(java_script_enabled=False, storage_state=signed_in.context.storage_state())
    page = context.new_page()
    page.goto(f"{stack.url}/app/simulations/new?audience={audience_id}")
    page.get_by_label("Question").fill("Would you try it?")
    page.get_by_role("button", name="Ask the panel").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Would you try it?")
    context.close()
