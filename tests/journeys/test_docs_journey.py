"""A newcomer reads about the API, on a large screen and on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_from_the_first_page_to_a_curl_line(page: Page, stack, width, scheme):
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{stack.url}/api/docs")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("link", name="Insight", exact=True).click()
    page.get_by_role("navigation", name="Operations").get_by_role("link", name="Audiences", exact=True).click()
    operation = page.locator("#audience_create")
    expect(operation.get_by_role("heading", name="Describe a business")).to_be_visible()
    operation.get_by_text("Errors:").click()
    expect(operation.get_by_text("The body is not application/json.")).to_be_visible()
    operation.get_by_role("button", name="Copy the curl line of Describe a business").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert faults == []
