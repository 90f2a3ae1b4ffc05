"""Changing audiences and segments by hand, and the reports and files made of them, over HTTP."""

import json
import re

import pytest

from tests.insights.pictures import BRIEF, Pages, make_audience, segment_ids, words

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


# Editing


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("summary", "They decide on Tuesdays.", "They decide on Tuesdays."),
        ("total_addressable_market", "Three people.", "Three people."),
        ("key_insights", " One \n\n Two ", ["One", "Two"]),
        ("recommendations", "", []),
    ],
)
def test_a_part_of_the_picture_is_edited_in_place_and_as_a_page(client, ready_id, home, field, typed, kept):
    url = f"{home}/fields/{field}/edit"
    whole, part = client.get(url).text, client.get(url, headers={"HX-Request": "true"}).text
    assert "<html" in whole
    assert "<html" not in part
    assert "data-editing" in part
    answer = client.post(url, data={field: typed}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "saved" in answer.headers["HX-Trigger"]
    assert client.get(f"/audience/{ready_id}/insight").get_json()["insight"][field] == kept
    assert client.post(url, data={field: typed}).location == home


def test_a_refused_edit_keeps_the_text_and_names_the_line(client, home):
    url = f"{home}/fields/key_insights/edit"
    answer = client.post(url, data={"key_insights": "Fine\n" + "x" * 601}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "Line 2: This is too long: at most 600 characters." in words(answer)
    assert "x" * 601 in answer.text


def test_saving_the_brief_changes_nothing_else(client, ready_id, home):
    before = segment_ids(client, ready_id)
    assert client.post(f"{home}/brief", data=BRIEF | {"location": "France"}).status_code == 303
    assert client.get(f"/audience/{ready_id}").get_json()["location"] == "France"
    assert segment_ids(client, ready_id) == before


def test_making_again_replaces_what_was_made_and_keeps_segments_of_ones_own(client, ready_id, home, run_jobs):
    before = segment_ids(client, ready_id)
    client.post(f"{home}/segments/new", data={"name": "My own people", "size_percentage": "0"})
    assert client.post(f"{home}/brief", data=BRIEF | {"name": "Again & Again", "again": "1"}).location == home
    run_jobs()
    names = [row["name"] for row in client.get(f"/audience/{ready_id}/segments").get_json()]
    assert names[0] == "My own people"
    assert len(names) > 3
    assert not set(before) & set(segment_ids(client, ready_id))
    assert "Again & Again" in words(client.get(home))


def test_a_refused_brief_is_not_saved(client, ready_id, home):
    answer = client.post(f"{home}/brief", data=BRIEF | {"name": "", "industry": "Typed"})
    assert answer.status_code == 422
    assert 'value="Typed"' in answer.text
    assert client.get(f"/audience/{ready_id}").get_json()["industry"] == BRIEF["industry"]


def test_the_deletion_names_what_goes_in_numbers(client, ready_id, home):
    text = client.get(home).text
    count = len(segment_ids(client, ready_id))
    assert re.search(
        rf"Gone for good: {count}\xa0segments, \d+\xa0personas, 0\xa0simulations and 0\xa0conversations", text
    )
    assert 'data-confirm-typed="Orchard &amp; Oat"' in text
    assert client.post(f"{home}/delete").location == LIST
    assert client.get(home).status_code == 404


# Segments


def test_a_segment_is_added_edited_and_deleted(client, ready_id, home):
    made = client.post(
        f"{home}/segments/new",
        data={"name": "Weekend hosts", "size_percentage": "10", "key_characteristics": "One\nTwo", "description": "D"},
    )
    said = words(client.get(made.location))
    assert "Weekend hosts" in said
    assert "One Two" in said
    assert "Nobody here yet" in said
    assert (
        client.post(f"{made.location}/edit", data={"name": "Hosts", "marketing_approach": "Call them"}).status_code
        == 303
    )
    assert "Call them" in words(client.get(made.location))
    assert client.post(f"{made.location}/delete").location == home
    assert client.get(made.location).status_code == 404


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": ""}, "This cannot be empty."),
        ({"name": "A", "size_percentage": "101"}, "A share is at most 100."),
        ({"name": "A", "size_percentage": "many"}, "Give a whole number."),
        ({"name": "A", "key_characteristics": "\n".join("abcdefghijklm")}, "There are too many lines here."),
    ],
)
def test_a_refused_segment_says_why_and_keeps_what_was_typed(client, home, values, said):
    answer = client.post(f"{home}/segments/new", data={"description": "Kept words", **values})
    assert answer.status_code == 422
    assert said in words(answer)
    assert "Kept words" in answer.text


def test_segments_keep_their_colours_in_order_after_one_is_deleted(client, ready_id, home):
    first = segment_ids(client, ready_id)[0]
    client.post(f"/app/described-segments/{first}/delete")
    bars = re.findall(r'class="ply-bar ply-s(\d)"', client.get(home).text)
    assert bars == [str(n) for n in range(1, len(bars) + 1)]


# Research, reports, files


def test_research_marks_lead_to_sources_that_open_safely(client, home):
    text = client.get(f"{home}/research").text
    marks = set(re.findall(r'href="#source-(\d+)"', text))
    sources = set(re.findall(r'<li id="source-(\d+)"', text))
    assert marks
    assert marks <= sources
    assert 'rel="noopener noreferrer nofollow"' in text
    assert "Arrives" not in text


def test_research_under_way_says_so(client):
    audience_id = make_audience(client)
    assert "Reading up on the market" in words(client.get(f"{LIST}/{audience_id}/research"))


@pytest.mark.parametrize("kind", ["expert_reflection", "simulation", "optimization", "perplexity"])
def test_a_report_is_asked_for_watched_read_and_saved(client, home, run_jobs, kind):
    answer = client.post(f"{home}/reports", data={"prompt_type": kind, "deep_research": "1"})
    assert "It appears here when it is done" in words(client.get(answer.location))
    run_jobs()
    read = client.get(answer.location)
    assert "deep" in words(read)
    assert 'id="report-text"' in read.text
    number = answer.location.rpartition("=")[2]
    saved = client.get(f"{home}/reports/{number}.md")
    assert saved.mimetype == "text/markdown"
    assert saved.text.startswith("# ")
    assert "Built-in analyst" in saved.text


def test_a_failed_report_says_why_and_can_be_asked_for_again(client, home, in_tenant, member):
    from app.core.db import unit_of_work
    from app.insights.services import reports

    place = client.post(f"{home}/reports", data={"prompt_type": "simulation"}).location
    with in_tenant(member.tenant_id), unit_of_work():
        reports.fail(int(place.rpartition("=")[2]), "The budget of the month is used up.")
    said = words(client.get(place))
    assert "The budget of the month is used up." in said
    assert "Try again" in said


def test_an_unknown_kind_of_report_is_refused(client, home):
    assert client.post(f"{home}/reports", data={"prompt_type": "poem"}).status_code == 422


def test_a_report_of_another_audience_is_not_found_under_this_one(client, home, run_jobs):
    number = client.post(f"{home}/reports", data={"prompt_type": "simulation"}).location.rpartition("=")[2]
    run_jobs()
    other = make_audience(client)
    assert client.get(f"{LIST}/{other}/reports/{number}.md").status_code == 404


def test_the_picture_is_saved_as_json_and_markdown(client, home):
    found = client.get(f"{home}/export.json")
    insight = json.loads(found.text)
    assert list(insight) == ["summary", "total_addressable_market", "key_insights", "segments", "recommendations"]
    assert all(person["name"] for segment in insight["segments"] for person in segment["personas"])
    assert "attachment" in found.headers["Content-Disposition"]
    text = client.get(f"{home}/export.md").text
    assert text.startswith("# Orchard & Oat")
    for segment in insight["segments"]:
        assert f"## {segment['name']} ({segment['size_percentage']} %)" in text


def test_activity_of_the_audience_is_told(client, home):
    assert "Orchard & Oat is ready" in words(client.get(f"{home}/activity"))
