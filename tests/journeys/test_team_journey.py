"""An admin brings a colleague in, changes their role, both switch workspaces, and the colleague leaves again."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.hindrances import serious

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PASSWORD = "a good password"


def sign_up(page: Page, url: str, email: str, workspace: str) -> None:
    page.goto(f"{url}/signup")
    page.get_by_label("Workspace").fill(workspace)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile(r"/app$"))


def invite(page: Page, url: str, email: str) -> str:
    """Invite someone and copy the link; returns its path."""
    page.goto(f"{url}/app/settings/team")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Role", exact=True).first.select_option("viewer")
    page.get_by_role("button", name="Invite").click()
    page.get_by_role("button", name=f"Copy the link for {email}").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    return urlsplit(page.evaluate("navigator.clipboard.readText()")).path


def row(page: Page, name: str):
    return page.locator("#people tbody tr").filter(has_text=name)


def test_someone_is_invited_joins_gets_a_role_switches_and_leaves(page: Page, browser: Browser, stack):
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_up(page, stack.url, "boss@team.example.com", "First Company")
    link = invite(page, stack.url, "ana@team.example.com")
    assert serious(page) == []

    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    guest = context.new_page()
    guest.on("pageerror", lambda error: faults.append(str(error)))
    guest.goto(stack.url + link)
    expect(guest.get_by_role("heading", name="Join First Company")).to_be_visible()
    assert serious(guest) == []
    guest.get_by_label("Your name").fill("Ana Silva")
    guest.get_by_label("Password", exact=True).fill(PASSWORD)
    guest.get_by_role("button", name="Join First Company").click()
    expect(guest).to_have_url(re.compile(r"/app$"))
    guest.goto(f"{stack.url}/app/audiences")
    expect(guest.get_by_role("link", name="New audience")).to_have_count(0)

    page.goto(f"{stack.url}/app/settings/team")
    select = page.get_by_label("Role of Ana Silva", exact=True)
    expect(page.get_by_role("button", name="Save the role of Ana Silva")).to_have_count(0)  # until there is a change
    select.select_option("analyst")
    page.get_by_role("button", name="Save the role of Ana Silva").click()
    expect(page.get_by_text("Ana Silva is now an analyst.")).to_be_visible()
    guest.reload()
    expect(guest.get_by_role("link", name="New audience").first).to_be_visible()

    other = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    other.grant_permissions(["clipboard-read", "clipboard-write"])
    second = other.new_page()
    sign_up(second, stack.url, "chief@team.example.com", "Second Company")
    link = invite(second, stack.url, "ana@team.example.com")
    guest.goto(stack.url + link)
    guest.get_by_role("button", name="Join Second Company").click()
    expect(guest.get_by_text("You are now in Second Company.")).to_be_visible()
    guest.locator(".ply-ws").click()
    assert serious(guest) == []
    guest.get_by_role("button", name="First Company").click()
    expect(guest.get_by_text("You are now in First Company.")).to_be_visible()
    expect(guest.locator(".ply-ws")).to_contain_text("First Company")

    page.reload()
    row(page, "Ana Silva").get_by_label("Actions for Ana Silva").click()
    page.get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Remove")).to_be_disabled()
    dialog.get_by_role("textbox").fill("ana@team.example.com")
    dialog.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Ana Silva is removed.")).to_be_visible()
    expect(row(page, "Ana Silva")).to_have_count(0)
    guest.reload()
    expect(guest).to_have_url(re.compile(r"/login"))
    guest.get_by_label("E-mail").fill("ana@team.example.com")
    guest.get_by_label("Password", exact=True).fill(PASSWORD)
    guest.locator("main button[type=submit]").click()
    expect(guest.locator(".ply-ws")).to_contain_text("Second Company")
    assert faults == []
    context.close()
    other.close()
