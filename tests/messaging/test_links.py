"""Short links: they lead where the campaign says and nowhere else, and who followed them is noted once."""

from __future__ import annotations

import base64
import threading

import pytest
from sqlalchemy import select

from app.cdp.models import EventName, ProfileEvent
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.errors import ValidationFailed
from app.core.tenancy import tenant_scope
from app.messaging.models import LinkClick
from app.messaging.services import clicks, forecasts, links
from tests.messaging.campaign import house, twilio

__all__ = ["house", "twilio"]
URL = "https://shop.example/spring?size=9&q=caf%C3%A9#top"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"
ROBOTS = [
    "", "WhatsApp/2.23.20 A", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Twitterbot/1.0",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "curl/8.5.0",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
]  # fmt: skip


@pytest.fixture
def sent(house, twilio):
    """A campaign with a link that one person was sent; the message."""
    house.people(1)
    campaign_id = house.campaign(house.segment(), house.template(f"Look: {URL}."))
    house.launch(campaign_id)
    return house.messages(campaign_id)[0]


@pytest.fixture
def reader(app):
    return app.test_client()


def follow(reader, message, place=0, agent=PHONE, method="get"):
    return getattr(reader, method)(f"/l/{links.token(message.id, place)}", headers={"User-Agent": agent})


@pytest.fixture
def noted(member):
    """Every visit that was noted."""

    def load() -> list[LinkClick]:
        with tenant_scope(member.tenant_id):
            db.session.rollback()
            return list(db.session.scalars(select(LinkClick).order_by(LinkClick.id)))

    return load


@pytest.fixture
def told(member):
    """The entries in timelines."""

    def load() -> list[ProfileEvent]:
        with tenant_scope(member.tenant_id):
            db.session.rollback()
            statement = select(ProfileEvent).join(EventName, EventName.id == ProfileEvent.name_id)
            return list(db.session.scalars(statement.where(EventName.name == "message_clicked")))

    return load


def test_the_person_gets_a_short_link_that_leads_to_the_whole_address(sent, reader):
    assert sent.body == f"Look: {links.short_url(sent.id, 0)}."
    answer = follow(reader, sent)
    assert (answer.status_code, answer.headers["Location"]) == (302, URL)


def test_the_redirect_sets_no_cookie_and_tells_nobody_where_it_came_from(sent, reader):
    answer = follow(reader, sent)
    assert answer.headers.getlist("Set-Cookie") == []
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_person_is_counted_once_as_the_first_and_told_once_in_their_timeline(sent, reader, noted, told):
    for _ in range(3):
        follow(reader, sent)
    assert [row.is_first for row in noted()] == [True, False, False]
    assert {(row.message_id, row.campaign_id, row.variant_id) for row in noted()} == {
        (sent.id, sent.campaign_id, sent.variant_id)
    }
    assert [(row.profile_id, row.properties["url"]) for row in told()] == [(sent.profile_id, URL)]


def test_visits_at_the_same_moment_have_one_first(sent, app, in_tenant, member, noted):
    token, ready = links.token(sent.id, 0), threading.Barrier(4)

    def visit() -> None:
        with in_tenant(member.tenant_id):
            found = clicks.find(token)
            db.session.rollback()
            ready.wait()
            with unit_of_work():
                clicks.record(found, utc_now())
            db.session.remove()

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(row.is_first for row in noted()) == [False, False, False, True]


@pytest.mark.parametrize("agent", ROBOTS)
def test_a_program_that_looks_at_links_is_led_on_and_not_counted(sent, reader, agent, noted):
    answer = follow(reader, sent, agent=agent)
    assert (answer.status_code, answer.headers["Location"]) == (302, URL)
    assert noted() == []


def test_head_is_answered_and_not_counted(sent, reader, noted):
    assert follow(reader, sent, method="head").headers["Location"] == URL
    assert noted() == []


def test_a_changed_token_leads_nowhere(sent, reader, noted):
    token = links.token(sent.id, 0)
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[0] ^= 1
    forged = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
    for text in (forged, token[:-2], "x", "https:%2f%2fevil.example", "a" * 500):
        answer = reader.get(f"/l/{text}", headers={"User-Agent": PHONE})
        assert answer.status_code == 404, text
        assert "Location" not in answer.headers
    assert noted() == []


def test_a_place_the_campaign_has_no_link_at_leads_nowhere(sent, reader):
    assert follow(reader, sent, place=1).status_code == 404


def test_guessing_is_slowed_down_and_readers_are_not(sent, reader, settings_override):
    settings_override(rate_limit_factor=1)
    answers = [reader.get(f"/l/guess{n}", headers={"User-Agent": PHONE}).status_code for n in range(31)]
    assert answers == [404] * 30 + [429]
    assert follow(reader, sent).status_code == 302


def test_a_click_of_an_erased_person_counts_and_names_nobody(sent, reader, noted, told):
    with unit_of_work():
        sent.profile_id = None
    follow(reader, sent)
    assert len(noted()) == 1
    assert told() == []


SHORT = "http://a.co/x"  # shorter than the tracked link that stands for it


def padded(length: int) -> str:
    return f"{SHORT} ".ljust(length, "x")


def test_a_text_too_long_with_tracked_links_is_refused_when_the_campaign_is_made(house, settings_override):
    settings_override(public_url="https://parley.example.com")
    house.people(1)
    segment_id, template_id = house.segment(), house.template(padded(1600))
    with pytest.raises(ValidationFailed) as refused:
        house.campaign(segment_id, template_id)
    grown = len(links.short_url(1, 0)) - len(SHORT)
    assert refused.value.details["field"] == "tracks_links"
    assert f"{1600 + grown:,} characters" in refused.value.message
    campaign_id = house.campaign(segment_id, template_id, tracks_links=False)
    house.launch(campaign_id)
    assert [one.state for one in house.messages(campaign_id)] == ["queued"]


def test_parts_and_price_are_foretold_with_tracked_links(house, settings_override):
    settings_override(public_url="https://parley.example.com")
    house.people(3)
    text = padded(158)
    campaign_id = house.campaign(house.segment(), house.template(text))
    foretold = forecasts.forecast(house.load(campaign_id), [("A", text, 1)])
    house.launch(campaign_id)
    assert {one.segments for one in house.messages(campaign_id)} == {2}
    assert (foretold.texts[0].average_parts, foretold.texts[0].cost_micros) == (2.0, 3 * 2 * 8300)


def test_whom_tracked_links_would_make_it_too_long_gets_the_addresses_themselves(house, settings_override):
    settings_override(public_url="https://parley.example.com")
    (long,) = house.people(1, traits={"words": "x" * 100})
    (short,) = house.people(1, traits={"words": "x"})
    campaign_id = house.campaign(house.segment(), house.template(f"{padded(1490)} {{words}}"))
    house.launch(campaign_id)
    bodies = {one.profile_id: one.body for one in house.messages(campaign_id)}
    assert SHORT in bodies[long]
    assert "/l/" in bodies[short]
    assert house.reasons(campaign_id) == {long: "queued", short: "queued"}


def test_a_tracked_link_is_as_long_for_the_first_message_as_for_the_billionth():
    assert len({len(links.token(number, place)) for number in (1, 300, 10**9) for place in (0, 49)}) == 1
