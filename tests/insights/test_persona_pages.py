"""The persona pages, over HTTP: free-form data shown, compared, edited and kept."""

import re

import pytest

from tests.insights.pictures import (
    HOSTILE,
    UNSAFE,
    Pages,
    add_persona,
    first_persona,
    make_audience,
    segment_ids,
    words,
)

ODD = {
    "age": {"from": 30, "to": 40},
    "goals": "One goal, not a list",
    "pets": ["dog", {"kind": "cat", "names": ["Mo", "Flo"]}],
    "scores": [1, 2.5],
    "subscribed": True,
    "notes": "First line\nSecond line",
}


@pytest.fixture
def client(client):
    return Pages(client)


@pytest.fixture
def audience_id(client, run_jobs):
    return make_audience(client, run_jobs)


def data_of(client, persona_id):
    return client.get(f"/personas/{persona_id}").get_json()["data"]


# Reading


def test_a_persona_is_shown_with_where_each_field_comes_from(client, audience_id):
    persona_id = first_persona(client, audience_id)
    page = client.get(f"/app/personas/{persona_id}")
    said, data = words(page), data_of(client, persona_id)
    for label in ("At a glance", "Goals", "Pains", "Channels", "Buying habits", "Values", "Interests"):
        assert label in said
    for text in (*data["goals"], *data["pain_points"], str(data["age"])):
        assert text in said
    assert re.search(r'class="ply-ev ply-ev--inferred" title="[^"]{10,}"', page.text)
    assert re.search(r'<a class="ply-ev[^>]+href="https://[^"]+" rel="noopener noreferrer"', page.text)


def test_data_of_any_shape_is_shown_as_words(client, audience_id):
    said = words(client.get(f"/app/personas/{add_persona(client, audience_id, **ODD)}"))
    assert "From 30 To 40" in said
    assert "One goal, not a list" in said
    assert "dog Kind cat Names Mo Flo" in said
    assert "Subscribed yes" in said


def test_a_persona_with_only_a_name_says_what_is_missing(client, audience_id):
    persona_id = add_persona(client, audience_id, "Nobody Yet")
    assert "Only a name so far" in words(client.get(f"/app/personas/{persona_id}"))
    assert "Nothing is known about Nobody Yet yet." in words(client.get(f"/app/audiences/{audience_id}"))


def test_own_conversations_are_listed_and_those_of_others_are_not(client, client_for, make_member, member, audience_id):
    persona_id = first_persona(client, audience_id)
    talk = client.post(f"/app/personas/{persona_id}/chat").location.partition("#")[0]
    assert f'href="{talk}"' in client.get(f"/app/personas/{persona_id}").text
    colleague = client_for(make_member("analyst", tenant_id=member.tenant_id))
    assert f'href="{talk}"' not in colleague.get(f"/app/personas/{persona_id}").text


def test_the_list_is_searched_filtered_and_paged_in_the_address(client, audience_id):
    other = make_audience(client, name="Second")
    client.post(f"/audience/{other}/segments", json={"name": "Only ones"})
    for number in range(26):
        add_persona(client, other, f"Person {number:02d}")
    page = client.get(f"/app/personas?audience_id={other}&page=2")
    assert "Person 25" in words(page)
    assert "Person 03" not in words(page)
    assert f'href="/app/personas?audience_id={other}&amp;page=1"' in page.text
    assert "Person 07" in words(client.get("/app/personas?q=person+07"))
    assert "Nobody found" in words(client.get("/app/personas?q=zzz"))


def test_an_empty_list_leads_to_a_new_audience(client):
    page = client.get("/app/personas")
    assert "Nobody here yet" in words(page)
    assert 'href="/app/audiences/new"' in page.text


# Comparing


def test_people_stand_side_by_side_in_the_order_asked_for(client, audience_id):
    ids = [add_persona(client, audience_id, name, pets=name * 2) for name in ("Anna", "Berta", "Carl")]
    asked = "&".join(f"ids={i}" for i in reversed(ids))
    said = words(client.get(f"/app/personas/compare?{asked}&ids=999999&ids=junk&ids={ids[0]}"))
    assert said.index("Carl") < said.index("Berta") < said.index("Anna")
    assert "Pets CarlCarl BertaBerta AnnaAnna" in said


def test_at_most_six_are_compared_and_the_rest_are_counted(client, audience_id):
    for number in range(8):
        add_persona(client, audience_id, f"P{number}")
    page = client.get(f"/app/personas/compare?audience_id={audience_id}")
    assert page.text.count('class="aud-col"') == 6
    assert "are not shown" in words(page)


def test_comparing_nobody_leads_to_choosing(client):
    assert "Nobody to compare" in words(client.get("/app/personas/compare?ids=1"))


# Hostile and foreign


def test_hostile_data_is_harmless_on_every_page(client, audience_id):
    data = dict.fromkeys(("age", "occupation", "quote", "household", "preferred_channels"), HOSTILE)
    data |= {"goals": [HOSTILE], "nested": {HOSTILE[:90]: [HOSTILE, {"a": HOSTILE}]}, HOSTILE[:90]: HOSTILE}
    persona_id = add_persona(client, audience_id, HOSTILE, **data)
    segment_id = segment_ids(client, audience_id)[0]
    for url in (f"/app/personas/{persona_id}", f"/app/personas/{persona_id}/edit", "/app/personas",
                f"/app/personas/compare?ids={persona_id}", f"/app/audiences/{audience_id}",
                f"/app/described-segments/{segment_id}"):  # fmt: skip
        answer = client.get(url)
        assert answer.status_code == 200, url
        assert not UNSAFE.search(answer.text), url


def test_evidence_links_only_where_a_browser_may_safely_go(client, audience_id, in_tenant, member):
    from app.core.db import get_required, unit_of_work
    from app.insights.models import Persona

    persona_id = first_persona(client, audience_id)
    with in_tenant(member.tenant_id), unit_of_work():
        persona = get_required(Persona, persona_id)
        persona.evidence = {
            "age": {"kind": "inferred", "basis": HOSTILE, "url": "javascript:alert(1)"},
            "income": "odd",
        }
    text = client.get(f"/app/personas/{persona_id}").text
    assert "javascript:" not in text
    assert not UNSAFE.search(text)


def test_another_tenants_persona_is_not_found(client, client_for, other_member, audience_id):
    stranger, persona_id = Pages(client_for(other_member)), first_persona(client, audience_id)
    assert stranger.get(f"/app/personas/{persona_id}").status_code == 404
    assert stranger.get(f"/app/personas/{persona_id}/edit").status_code == 404
    assert stranger.post(f"/app/personas/{persona_id}/edit", data={"name": "Mine"}).status_code == 404
    assert stranger.post(f"/app/personas/{persona_id}/delete").status_code == 404
    assert "Nobody to compare" in words(stranger.get(f"/app/personas/compare?ids={persona_id}"))
    assert stranger.get(f"/app/personas/compare?audience_id={audience_id}").status_code == 404


def test_a_viewer_reads_personas_and_changes_nothing(client, client_for, make_member, member, audience_id):
    viewer = Pages(client_for(make_member("viewer", tenant_id=member.tenant_id)))
    persona_id = first_persona(client, audience_id)
    for url in ("/app/personas", f"/app/personas/{persona_id}", f"/app/personas/compare?ids={persona_id}"):
        answer = viewer.get(url)
        assert answer.status_code == 200
        main = answer.text.partition("<main")[2].partition("</main>")[0]
        assert 'method="post"' not in main
        assert "/edit" not in main
    assert viewer.get(f"/app/personas/{persona_id}/edit").status_code == 403
    assert viewer.post(f"/app/personas/{persona_id}/delete").status_code == 403
