"""A marketer watches events arrive in a real browser, opens who did it, and another site's page sends some itself."""

from __future__ import annotations

import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.hindrances import serious
from tests.support.stack import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
EVENTS = "/api/v1/cdp/events"


@pytest.fixture
def signed_in(enter) -> Page:
    return enter("customers@example.com")


def send(page: Page, stack, name: str, **values: object) -> int:
    answer = page.request.post(stack.url + EVENTS, data={"event_name": name, "user_id": "ada", **values})
    assert answer.ok, answer.text()
    return answer.json()["profile_id"]


def test_an_event_appears_by_itself_and_leads_to_the_person(signed_in: Page, stack, faults):
    page = signed_in
    page.goto(f"{stack.url}/app/profiles")
    expect(page.get_by_role("heading", name="Bring your customers")).to_be_visible()
    assert serious(page) == []

    page.goto(f"{stack.url}/app/events")
    expect(page.get_by_text("Waiting for the first event")).to_be_visible()
    assert serious(page) == []
    send(page, stack, "signup", traits={"name": "Ada Lovelace", "email": "ada@example.com", "city": "Leeds"})
    lines = page.locator("#tail > li")
    expect(lines).to_have_count(1, timeout=10_000)

    page.evaluate("window.stillHere = true")
    send(page, stack, "purchase", properties={"amount": 34.5})
    expect(lines).to_have_count(2, timeout=10_000)
    expect(lines.first).to_contain_text("purchase")
    page.get_by_role("button", name="Pause").click()
    send(page, stack, "refund")
    expect(page.get_by_text("Paused, 1 new")).to_be_visible(timeout=10_000)
    expect(lines).to_have_count(2)
    page.get_by_role("button", name="Resume").click()
    expect(lines).to_have_count(3)
    assert page.evaluate("window.stillHere") is True
    lines.nth(1).locator("summary .cus-event__name").click()
    expect(lines.nth(1)).to_contain_text('"amount": 34.5')
    assert serious(page) == []

    lines.first.get_by_role("link", name="Ada Lovelace").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Lovelace")
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    assert serious(page) == []

    page.get_by_role("link", name="Edit traits").first.click()
    page.get_by_role("group", name="Trait 1").get_by_label("Value").fill("London")
    page.get_by_role("button", name="Add a trait").click()
    added = page.locator("[data-row]").last
    added.get_by_label("Name").fill("vip")
    added.get_by_label("Holds").select_option("boolean")
    added.get_by_label("Value").fill("yes")
    assert serious(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".cus-who")).to_contain_text("London")
    expect(page.locator(".cus-traits").first).to_contain_text("vip")

    page.get_by_text("Record a change").click()
    page.get_by_label("Channel").select_option("sms")
    page.get_by_label("How you know").fill("phone call")
    page.get_by_role("button", name="Record").click()
    expect(page.locator(".cus-consent")).to_contain_text(re.compile("SMS.*Granted"))

    page.goto(f"{stack.url}/app/profiles")
    page.get_by_role("searchbox", name="Search").fill("love")
    expect(page).to_have_url(re.compile("q=love"))
    expect(page.locator("#people tbody tr")).to_have_count(1)
    assert serious(page) == []
    page.get_by_role("searchbox", name="Search").fill("nobody such")
    expect(page.get_by_text("Nobody found")).to_be_visible()
    assert faults == []


def test_a_person_is_erased_only_with_their_name_typed(signed_in: Page, stack, faults):
    page = signed_in
    person = send(page, stack, "signup", user_id="grace", traits={"name": "Grace Hopper"})
    page.goto(f"{stack.url}/app/profiles/{person}")
    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Erase this person").click()
    assert serious(page) == []
    page.get_by_label("Type “Grace Hopper” to go on").fill("Grace Hopper")
    page.get_by_role("button", name="Erase for good").click()
    expect(page).to_have_url(re.compile("/app/profiles$"))
    assert page.request.get(f"{stack.url}/api/v1/cdp/profiles/{person}").status == 404
    assert faults == []


def make_key(stack) -> str:
    """The text of a key of the person's tenant that can send events and nothing else."""
    script = (
        "from app import create_app; from app.accounts.models import Membership, User\n"
        "from app.accounts.services import api_keys; from app.core import tenancy\n"
        "from app.core.db import db, unit_of_work\n"
        "with create_app().app_context(), tenancy.platform_scope():\n"
        "    user = db.session.query(User).filter_by(email='customers@example.com').one()\n"
        "    tenant_id = db.session.query(Membership).filter_by(user_id=user.id).one().tenant_id\n"
        "    with tenancy.tenant_scope(tenant_id), unit_of_work():\n"
        "        print(api_keys.create('shop', ['events'], created_by=user.id, expires_at=None)[1])\n"
    )
    made = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=stack.env, check=True, capture_output=True)
    return made.stdout.decode().split()[-1]


@pytest.fixture
def shop(stack, signed_in: Page) -> Iterator[str]:
    """Another site's page that carries the snippet."""
    key = make_key(stack)
    html = (
        "<!doctype html><title>Shop</title><script>window.parley = window.parley || [];"
        'parley.push(["identify", "visitor-7", {city: "Leeds"}]);parley.push(["track", "box_viewed", {box: "small"}]);'
        f'</script><script async src="{stack.url}/static/js/parley.js" data-key="{key}"></script><h1>Shop</h1>'
    )

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}/"
    server.shutdown()


def names_of(page: Page, stack) -> list[str]:
    found = page.request.get(f"{stack.url}/api/v1/cdp/profiles?q=visitor-7").json()["items"]
    if not found:
        return []
    events = page.request.get(f"{stack.url}/api/v1/cdp/profiles/{found[0]['id']}/events").json()["items"]
    return sorted(event["event_name"] for event in events)


def wait_for(page: Page, stack, names: list[str]) -> None:
    for _ in range(60):
        if names_of(page, stack) == names:
            return
        page.wait_for_timeout(100)
    assert names_of(page, stack) == names


def test_the_snippet_sends_from_another_site_and_loses_nothing(signed_in: Page, stack, shop, browser):
    context = browser.new_context()
    visitor = context.new_page()
    visitor.goto(shop)
    wait_for(signed_in, stack, ["box_viewed", "identify", "page"])
    assert visitor.evaluate("localStorage.getItem('parley.queue')") == "[]"

    context.route("**/events/batch", lambda route: route.abort())
    visitor.evaluate("parley.track('while_away')")
    visitor.wait_for_timeout(1500)
    assert "while_away" in visitor.evaluate("localStorage.getItem('parley.queue')")
    context.unroute("**/events/batch")
    visitor.evaluate("parley.flush()")
    wait_for(signed_in, stack, ["box_viewed", "identify", "page", "while_away"])

    visitor.evaluate("parley.track('on_the_way_out')")
    visitor.goto("about:blank")
    wait_for(signed_in, stack, ["box_viewed", "identify", "on_the_way_out", "page", "while_away"])
    context.close()


def test_on_a_phone_the_persons_menu_opens_inside_the_screen(signed_in: Page, stack, faults):
    page = signed_in
    person = send(page, stack, "signup")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{stack.url}/app/profiles/{person}")
    page.get_by_role("main").locator("summary").first.click()
    for name in ("Export everything", "Erase this person"):
        box = page.get_by_text(name, exact=True).bounding_box()
        assert box is not None, name
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= 390, name
