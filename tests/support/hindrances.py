"""What axe holds against a page that has come to rest."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect


def serious(page: Page) -> list[str]:
    """What axe holds to be a serious or critical hindrance, and where.

    What is being fetched is faded, so it waits, and looks again at what it found: a field may ask a moment later.
    """
    found = _found(page)
    for _ in range(2):
        if found:
            page.wait_for_timeout(1000)
            found = _found(page)
    return found


def _found(page: Page) -> list[str]:
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found if v["impact"] in ("serious", "critical")]
