"""The audience and segment pages, over HTTP: what they show, what they refuse, what they leave alone."""

import html
import json
import re

import pytest

from tests.insights.pictures import BRIEF, HOSTILE, UNSAFE, Pages, make_audience, segment_ids, words

LIST = "/app/audiences"


@pytest.fixture
def client(client):
    return Pages(client)


@pytest.fixture
def ready_id(client, run_jobs):
    return make_audience(client, run_jobs)


@pytest.fixture
def home(ready_id):
    return f"{LIST}/{ready_id}"


@pytest.fixture
def viewer(client_for, make_member, member):
    return Pages(client_for(make_member("viewer", tenant_id=member.tenant_id)))


def fail(in_tenant, member, audience_id, message):
    """As the job does when every provider is out."""
    from app.core.db import unit_of_work
    from app.insights.models import StepState
    from app.insights.queries import list_steps
    from app.insights.services import pipeline

    with in_tenant(member.tenant_id), unit_of_work():
        list_steps(audience_id)[0].state = StepState.RUNNING
        pipeline.fail(audience_id, message)


# The list


def test_an_empty_list_teaches_and_leads_to_the_form(client):
    page = client.get(LIST)
    assert "Describe a business, meet its buyers" in words(page)
    assert 'href="/app/audiences/new"' in page.text


def test_the_list_says_what_is_in_each_audience_and_how_far_it_is(client, ready_id, run_jobs):
    client.post("/audience", json=BRIEF | {"name": "Waiting Room"})
    said = words(client.get(LIST))
    assert "Orchard & Oat ready Grocery and food delivery, United States" in said
    assert re.search(r"[345] segments, [3-9] personas", said)
    assert "Waiting Room waiting" in said


def test_the_list_is_searched_by_name_and_industry_and_paged_in_the_address(client):
    for number in range(14):
        make_audience(client, name=f"Gym {number}", industry="Fitness")
    make_audience(client)
    found = client.get(f"{LIST}?q=fitness&page=2")
    assert "Gym 0" in words(found)
    assert "Gym 13" not in words(found)
    assert "Orchard" not in words(found)
    assert 'href="/app/audiences?q=fitness&amp;page=1"' in found.text
    assert "Nothing found" in words(client.get(f"{LIST}?q=zzz"))


def test_the_list_takes_the_same_number_of_queries_whatever_its_length(client, app):
    from sqlalchemy import event

    from app.core.db import db

    def count() -> int:
        seen = []
        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", listener := lambda *a: seen.append(a[2]))
        client.get(LIST)
        event.remove(engine, "before_cursor_execute", listener)
        return len(seen)

    make_audience(client)
    client.get(LIST)
    few = count()
    for _ in range(6):
        make_audience(client)
    assert count() == few


# A new one


def test_a_new_audience_leads_to_its_page_at_once(client):
    answer = client.post(f"{LIST}/new", data=BRIEF)
    assert answer.status_code == 303
    said = words(client.get(answer.location))
    assert "Orchard & Oat" in said
    assert "Waiting for its turn" in said


def test_filled_examples_are_one_click_away_and_are_accepted_as_they_are(client):
    page = client.get(f"{LIST}/new")
    examples = re.findall(r'data-fill="([^"]+)"', page.text)
    assert len(examples) == 3
    for example in examples:
        assert client.post(f"{LIST}/new", data=json.loads(html.unescape(example))).status_code == 303


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"name": " "}, "name", "This cannot be empty."),
        ({"name": "x" * 201}, "name", "This is too long: at most 200 characters."),
        ({"core_need": "x" * 2001}, "core_need", "This is too long: at most 2,000 characters."),
        (
            {k: "" for k in BRIEF if k not in ("name", "website")},
            "business_description",
            "Say at least what the business does.",
        ),
    ],
)
def test_a_refused_brief_says_why_beside_the_field_and_keeps_what_was_typed(client, change, field, said):
    answer = client.post(f"{LIST}/new", data=BRIEF | {"website": "typed.example"} | change)
    assert answer.status_code == 422
    assert f'id="field-{field}-error"' in answer.text
    assert said in words(answer)
    assert 'value="typed.example"' in answer.text
    assert "No audience" not in answer.text
    assert client.get("/audience").get_json() == []


# The page that fills in


def test_a_ready_audience_shows_its_whole_picture(client, home):
    said = words(client.get(home))
    for part in ("Made in", "Key insights", "Recommendations", "Market size", "Personas", "Someone missing?"):
        assert part in said
    assert "Written by the built-in analyst" in said
    assert said.count("Written by the built-in analyst") == 1
    assert "The shares add up" not in said


def test_the_live_part_names_where_each_region_belongs_and_is_the_same_when_nothing_changed(client, ready_id, home):
    first, second = client.get(f"{home}/live").text, client.get(f"{home}/live").text
    marks = re.findall(r'id="(audience-[a-z]+)" data-v="(\w+)"[^>]*hx-swap-oob="true"', first)
    assert {"audience-head", "audience-progress", "audience-segments", "audience-people"} <= {name for name, _ in marks}
    assert marks == re.findall(r'id="(audience-[a-z]+)" data-v="(\w+)"[^>]*hx-swap-oob="true"', second)
    whole = client.get(home).text
    assert all(f'id="{name}" data-v="{mark}"' in whole for name, mark in marks)
    client.put(f"/segments/{segment_ids(client, ready_id)[0]}", json={"name": "Renamed people"})
    changed = dict(re.findall(r'id="(audience-[a-z]+)" data-v="(\w+)"', client.get(f"{home}/live").text))
    assert changed["audience-segments"] != dict(marks)["audience-segments"]
    assert changed["audience-tabs"] == dict(marks)["audience-tabs"]


def test_only_an_audience_being_made_asks_again_by_itself(client, run_jobs):
    audience_id = make_audience(client)
    assert 'hx-trigger="every 5s"' in client.get(f"{LIST}/{audience_id}").text
    assert 'hx-trigger="every 5s"' in client.get(f"{LIST}/{audience_id}/live").text
    run_jobs()
    assert 'hx-trigger="every 5s"' not in client.get(f"{LIST}/{audience_id}").text


def test_an_open_page_of_a_deleted_audience_goes_back_to_the_list(client, home):
    client.post(f"{home}/delete")
    answer = client.get(f"{home}/live", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == LIST
    assert "This audience was deleted." in client.get(LIST).text


def test_a_failed_step_says_what_happened_and_a_retry_finishes_the_audience(client, in_tenant, member, run_jobs):
    audience_id = make_audience(client)
    fail(in_tenant, member, audience_id, "Anthropic answered 529.")
    from app.core.db import db, unit_of_work
    from app.core.jobs import BackgroundJob, JobState

    with in_tenant(member.tenant_id), unit_of_work():
        for job in db.session.query(BackgroundJob).all():
            job.state = JobState.FAILED
    page = f"{LIST}/{audience_id}"
    said = words(client.get(page))
    assert "Research did not work out" in said
    assert "Anthropic answered 529." in said
    assert "Retry from here" in said
    assert "stopped" in words(client.get(LIST))
    assert client.post(f"{page}/retry").location == page
    run_jobs()
    assert "Made in" in words(client.get(page))


def test_a_retry_while_it_is_being_made_is_refused_on_the_page(client):
    audience_id = make_audience(client)
    assert client.post(f"{LIST}/{audience_id}/retry").status_code == 303
    assert "being made right now" in client.get(f"{LIST}/{audience_id}").text


def test_shares_that_do_not_add_up_are_said_plainly(client, ready_id, home):
    first = segment_ids(client, ready_id)[0]
    values = {"name": "Half of them", "size_percentage": "3 %"}
    assert client.post(f"/app/described-segments/{first}/edit", data=values).status_code == 303
    assert re.search(r"The shares add up to \d+ %\. Edit a segment", words(client.get(home)))
    values["size_percentage"] = ""
    client.post(f"/app/described-segments/{first}/edit", data=values)
    assert re.search(r"add up to \d+ %, and 1 segment has none", words(client.get(home)))


# Hostile and foreign


def test_a_hostile_brief_is_harmless_on_every_page(client, run_jobs):
    audience_id = make_audience(client, run_jobs, **{key: HOSTILE for key in BRIEF if key != "age_range"})
    first = segment_ids(client, audience_id)[0]
    client.post(f"/app/described-segments/{first}/edit", data={"name": HOSTILE, "description": HOSTILE,
                "key_characteristics": HOSTILE, "marketing_approach": HOSTILE, "size_percentage": "5"})  # fmt: skip
    for field in ("summary", "total_addressable_market", "key_insights", "recommendations"):
        client.post(f"{LIST}/{audience_id}/fields/{field}/edit", data={field: HOSTILE})
    client.post(f"{LIST}/{audience_id}/reports", data={"prompt_type": "simulation"})
    run_jobs()
    tabs = ["", "/live", "/research", "/reports", "/activity", "/brief", "/fields/summary/edit", "/fields/key_insights"]
    urls = [LIST, *(f"{LIST}/{audience_id}{tab}" for tab in tabs), f"/app/described-segments/{first}"]
    for url in [*urls, f"/app/described-segments/{first}/edit"]:
        answer = client.get(url)
        assert answer.status_code == 200, url
        assert not UNSAFE.search(answer.text), url
    assert "<script>" not in client.get(f"{LIST}/{audience_id}/export.md").text.replace("\\<", "")


def test_another_tenants_audience_is_not_found(client, other_member, client_for, ready_id, home):
    stranger = Pages(client_for(other_member))
    first = segment_ids(client, ready_id)[0]
    for url in (home, f"{home}/research", f"{home}/export.json", f"{home}/brief", f"/app/described-segments/{first}"):
        assert stranger.get(url).status_code == 404
    for url in (f"{home}/delete", f"{home}/again", f"{home}/reports", f"/app/described-segments/{first}/delete"):
        assert stranger.post(url, data={"prompt_type": "simulation"}).status_code == 404
    assert client.get(home).status_code == 200


def test_a_viewer_reads_everything_and_changes_nothing(client, viewer, ready_id, home):
    first = segment_ids(client, ready_id)[0]
    for url in (LIST, home, f"{home}/research", f"{home}/reports", f"{home}/brief", f"/app/described-segments/{first}"):
        answer = viewer.get(url)
        assert answer.status_code == 200
        main = answer.text.partition("<main")[2].partition("</main>")[0]
        assert 'method="post"' not in main, url
        assert '/new"' not in main, url
    for url in (f"{LIST}/new", f"{home}/fields/summary/edit", f"/app/described-segments/{first}/edit"):
        assert viewer.get(url).status_code == 403
    for url in (f"{home}/delete", f"{home}/again", f"{home}/brief", f"/app/described-segments/{first}/delete"):
        assert viewer.post(url).status_code == 403


def test_a_stranger_is_led_to_sign_in(anonymous):
    assert "/login" in anonymous.get(LIST, headers={"Accept": "text/html"}).location
