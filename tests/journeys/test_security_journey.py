"""Someone makes their account safe and comes back with a code, a backup code, a passkey; in a real browser."""

from __future__ import annotations

import io
import re
import time
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.support.hindrances import serious

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PASSWORD = "a good password"
SECURITY = "/app/settings/security"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def site(stack) -> str:
    """By the name localhost: a passkey cannot belong to a number."""
    return stack.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def faults(page: Page) -> list[str]:
    """What the pages complain of; that a form was refused is no fault."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console",
        lambda said: (
            found.append(said.text)
            if said.type == "error" and not re.search("status of (401|422)", said.text)
            else None
        ),
    )
    return found


def sign_up(page: Page, site: str) -> str:
    email = f"careful-{time.time_ns()}@example.com"
    page.goto(f"{site}/signup")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form.card button[type=submit]").click()
    expect(page).to_have_url(re.compile(r"/app$"))
    return email


def sign_out(page: Page) -> None:
    page.get_by_label(re.compile("^Account")).click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page).to_have_url(re.compile(r"/login"))


def show_password(page: Page, email: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def scan(picture: Locator) -> str:
    """What a phone's camera reads off the screen."""
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.screenshot())))
    assert len(found) == 1
    return found[0].text


def next_code(secret: str, used: list[str]) -> str:
    """The app's code once it is one that was not used yet, as a person waits for the next."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        for ahead in (0, 30):
            code = pyotp.TOTP(secret).at(int(time.time()) + ahead)
            if code not in used:
                used.append(code)
                return code
        time.sleep(0.5)
    raise AssertionError("no new code came")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_can_be_scanned_in_both_themes(page: Page, site, scheme):
    page.emulate_media(color_scheme=scheme)
    email = sign_up(page, site)
    page.goto(f"{site}{SECURITY}")
    page.get_by_role("button", name="Set up an app").click()
    address = urlsplit(scan(page.get_by_role("img", name="QR code")))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert address.path == f"/Parley:{email.replace('@', '%40')}"
    assert parse_qs(address.query)["secret"] == [page.locator("#secret").inner_text().replace(" ", "")]
    assert serious(page) == []


def test_from_turning_two_factor_on_to_turning_it_off(page: Page, site, faults):
    email, used = sign_up(page, site), []
    page.goto(f"{site}{SECURITY}")
    assert serious(page) == []
    page.get_by_role("button", name="Set up an app").click()
    secret = parse_qs(urlsplit(scan(page.get_by_role("img", name="QR code"))).query)["secret"][0]
    page.get_by_label("Code", exact=True).fill("000")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("That is not right.")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(next_code(secret, used))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Two-factor is on")).to_be_visible()
    codes = page.locator("#codes code").all_inner_texts()
    assert len(set(codes)) == 10
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.path().read_text().split() == codes
    assert serious(page) == []
    page.get_by_role("link", name="I have saved them").click()
    expect(page.get_by_text("10 of 10 backup codes left")).to_be_visible()
    assert serious(page) == []

    sign_out(page)
    show_password(page, email)
    expect(page).to_have_url(re.compile(r"/login/second-step"))
    assert serious(page) == []
    page.get_by_label("Code", exact=True).fill(used[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("was used before")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(next_code(secret, used))
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/app$"))

    for is_first in (True, False):
        sign_out(page)
        show_password(page, email)
        page.get_by_role("link", name="Use a backup code").click()
        page.get_by_label("Backup code").fill(codes[0])
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(re.compile(r"/app$" if is_first else r"/login/second-step"))
    page.get_by_label("Backup code").fill(codes[1])
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/app$"))

    page.goto(f"{site}{SECURITY}")
    expect(page.get_by_text("8 of 10 backup codes left")).to_be_visible()
    page.get_by_text("Turn off", exact=True).first.click()
    page.get_by_label("Password", exact=True).first.fill(PASSWORD)
    page.get_by_label("Code of your app, or a backup code").fill(codes[2])
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_role("button", name="Set up an app")).to_be_visible()
    sign_out(page)
    show_password(page, email)
    expect(page).to_have_url(re.compile(r"/app$"))
    assert faults == []


def test_a_passkey_from_adding_it_to_removing_it(page: Page, site, faults):
    browser = page.context.new_cdp_session(page)
    browser.send("WebAuthn.enable")
    device = browser.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]
    email = sign_up(page, site)
    page.goto(f"{site}{SECURITY}")
    page.get_by_text("Add a passkey", exact=True).click()
    page.get_by_label("Name").fill("Work laptop")
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_text("The password is not right.")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.locator("#codes code")).to_have_count(10)
    page.get_by_role("link", name="I have saved them").click()
    expect(page.get_by_text("Work laptop", exact=True).first).to_be_visible()
    assert serious(page) == []

    sign_out(page)
    assert serious(page) == []
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile(r"/app$"))

    sign_out(page)
    show_password(page, email)
    expect(page).to_have_url(re.compile(r"/login/second-step"))
    assert serious(page) == []
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile(r"/app$"))

    sign_out(page)
    browser.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="Nothing has changed")).to_be_visible(timeout=20_000)
    browser.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": True})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile(r"/app$"))

    page.goto(f"{site}{SECURITY}")
    page.locator("summary", has_text="Remove Work laptop").click()
    page.get_by_role("list").get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Remove passkey").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    sign_out(page)
    show_password(page, email)
    expect(page).to_have_url(re.compile(r"/app$"))
    assert faults == []
