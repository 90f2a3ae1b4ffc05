"""An admin makes a key for a program, sees it used, takes it back, and reads all of it in the audit log."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.support.hindrances import serious

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ACCOUNT = {"email": "keys@example.com", "password": "a good password"}


def call(stack, path: str, body: dict | None = None, key: str = "") -> tuple[int, dict]:
    """What a program sends and gets."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(stack.url + path, data, headers), timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def sign_in(page: Page, stack) -> None:
    call(stack, "/signup", ACCOUNT)
    page.goto(f"{stack.url}/login")
    page.get_by_label("E-mail").fill(ACCOUNT["email"])
    page.get_by_label("Password", exact=True).fill(ACCOUNT["password"])
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile(r"/app$"))


@pytest.mark.parametrize("width", [1440, 390])
def test_from_a_new_key_to_its_end_and_the_log_of_it(page: Page, stack, width):
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, stack)
    name = f"Report {width}"

    page.goto(f"{stack.url}/app/settings/api-keys")
    assert serious(page) == []
    page.get_by_label("Name").fill(name)
    page.get_by_label("Write").check()
    page.get_by_role("button", name="Make the key").click()
    key = page.locator("#new-key").inner_text()
    assert key.startswith("key_")
    expect(page.locator("#new-curl")).to_contain_text(f'"Authorization: Bearer {key}"')
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    assert call(stack, "/audience", key=key)[0] == 200
    assert call(stack, "/audience", {"name": "By a program"}, key)[0] == 201
    assert call(stack, "/api/v1/audit", key=key)[0] == 403
    page.goto(f"{stack.url}/app/settings/api-keys")
    row = page.locator(".key-list > li", has_text=name).first
    expect(row).to_contain_text("Last used")
    assert key not in page.content()

    row.get_by_text("Rotate").click()
    row.get_by_label("The old key ends").select_option("in an hour")
    row.get_by_role("button", name="Make the new key").click()
    new = page.locator("#new-key").inner_text()
    assert [call(stack, "/audience", key=one)[0] for one in (key, new)] == [200, 200]

    revoke = page.locator(".key-list > li", has_text=name).get_by_role("button", name="Revoke")
    for left in (1, 0):  # the new one and the old one
        revoke.first.click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(page.get_by_text("is revoked")).to_be_visible()
        expect(revoke).to_have_count(left)
    assert [call(stack, "/audience", key=one)[0] for one in (key, new)] == [401, 401]

    page.goto(f"{stack.url}/app/settings/audit?action=api_key&q={name.replace(' ', '+')}")
    said = page.locator(".key-entry__t")
    expect(said.first).to_contain_text(f"revoked the API key {name}")
    assert said.count() == 5
    summary = page.locator(".key-entry > summary", has_text="rotated").first
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".key-diff:visible")).to_contain_text("works until")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert name in download.value.path().read_text()
    page.get_by_label("About").fill("nothing like it")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("Nothing fits")).to_be_visible()

    assert faults == []
