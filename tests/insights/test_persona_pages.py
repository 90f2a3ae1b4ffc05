"""The persona pages, over HTTP: free-form data shown, compared, edited and kept."""

import html
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


def form_values(client, persona_id):
    """What the browser would send if the form were saved as it stands."""
    main = client.get(f"/app/personas/{persona_id}/edit").text.partition("<main")[2]
    values: dict[str, list[str]] = {}
    field = re.compile(
        r'<input class="form-control[^"]*"[^>]*? name="(\w+)"[^>]*? value="([^"]*)"'
        r'|<textarea[^>]*? name="(\w+)"[^>]*>\n(.*?)</textarea>'
        r'|<select[^>]*? name="(\w+)">(.*?)</select>',
        re.S,
    )
    for input_name, value, area, text, choice, options in field.findall(main):
        if choice:
            chosen = re.search(r'value="(\w+)" selected', options)
            value = chosen.group(1) if chosen else "text"
        values.setdefault(input_name or area or choice, []).append(html.unescape(value if not area else text))
    return {name: [text.replace("\n", "\r\n") for text in texts] for name, texts in values.items()}


def save(client, persona_id, **changes):
    values = form_values(client, persona_id) | {key: [text] for key, text in changes.items()}
    return client.post(f"/app/personas/{persona_id}/edit", data=values)


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


# Changing


def test_saving_a_form_as_it_stands_changes_nothing(client, audience_id, in_tenant, member):
    from app.core.db import get_required
    from app.insights.models import Persona

    made = first_persona(client, audience_id)
    odd = add_persona(client, audience_id, "Odd One", **ODD)
    for persona_id in (made, odd):
        with in_tenant(member.tenant_id):
            before = get_required(Persona, persona_id)
        assert save(client, persona_id).status_code == 303
        with in_tenant(member.tenant_id):
            after = get_required(Persona, persona_id)
        assert after.data == before.data
        assert after.evidence == before.evidence
        assert [type(value) for value in after.data.values()] == [type(value) for value in before.data.values()]


def test_a_changed_field_is_ones_own_and_the_others_keep_their_evidence(client, audience_id, in_tenant, member):
    from app.core.db import get_required
    from app.insights.models import Persona

    persona_id = first_persona(client, audience_id)
    save(client, persona_id, age="61", goals="Sleep\n\n Read more ", occupation="", name="New Name")
    data = data_of(client, persona_id)
    assert data["age"] == 61
    assert data["goals"] == ["Sleep", "Read more"]
    assert "occupation" not in data
    with in_tenant(member.tenant_id):
        evidence = get_required(Persona, persona_id).evidence
    assert not {"age", "goals", "occupation"} & set(evidence)
    assert {"income", "pain_points"} <= set(evidence)
    assert "New Name" in words(client.get(f"/app/personas/{persona_id}"))


def test_fields_of_any_name_are_added_changed_and_removed(client, audience_id):
    persona_id = add_persona(client, audience_id, "Odd One", **ODD)
    values = form_values(client, persona_id)
    row = values["extra_key"].index("pets")
    values["extra_text"][row] = '{"dogs": 2}'
    gone = values["extra_key"].index("notes")
    values["extra_key"][gone] = values["extra_text"][gone] = ""
    values["extra_key"][-1], values["extra_kind"][-1], values["extra_text"][-1] = "favourite shops", "lines", "A\r\nB"
    assert client.post(f"/app/personas/{persona_id}/edit", data=values).status_code == 303
    data = data_of(client, persona_id)
    assert data["pets"] == {"dogs": 2}
    assert data["favourite shops"] == ["A", "B"]
    assert "notes" not in data
    assert data["age"] == ODD["age"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("pets", "json", "{broken")], "This is not valid JSON."),
        ([("pets", "json", "[NaN]")], "must be plain JSON"),
        ([("", "text", "left behind")], "Give this field a name"),
        ([("pets", "text", "a"), ("pets", "text", "b")], "There are two fields called “pets”."),
        ([("age", "text", "a")], "There are two fields called “age”."),
        ([("big", "text", "x" * 66_000)], "must be at most 64 KB of JSON"),
        ([("deep", "json", "[" * 9 + "]" * 9)], "must not be nested deeper than 6 levels"),
        ([("deep", "json", "[" * 90_000)], "This is not valid JSON."),
    ],
)
def test_a_refused_form_says_why_and_keeps_what_was_typed(client, audience_id, rows, said):
    persona_id = add_persona(client, audience_id, "Odd One", age=30)
    keys, kinds, texts = (list(part) for part in zip(*rows, strict=True))
    values = {"name": "Typed Name", "age": "31", "extra_key": keys, "extra_kind": kinds, "extra_text": texts}
    answer = client.post(f"/app/personas/{persona_id}/edit", data=values)
    assert answer.status_code == 422
    assert said.lower() in words(answer).lower()
    assert 'value="Typed Name"' in answer.text
    assert texts[0][:50] in answer.text
    assert data_of(client, persona_id) == {"age": 30}


def test_a_persona_is_added_by_hand_to_the_segment_chosen(client, audience_id):
    first, second = segment_ids(client, audience_id)[:2]
    url = f"/app/described-segments/{first}/personas/new"
    assert client.get(url).status_code == 200
    assert "Everyone has a name." in words(client.post(url, data={"name": " ", "age": "34"}))
    answer = client.post(url, data={"name": "Priya Nair", "age": "34", "segment_id": str(second), "goals": "Sleep"})
    persona_id = int(answer.location.rpartition("/")[2])
    made = client.get(f"/personas/{persona_id}").get_json()
    assert made["segment_id"] == second
    assert made["data"] == {"age": 34, "goals": ["Sleep"]}
    page = client.get(answer.location)
    assert "ply-ev--" not in page.text.partition("aud-legend")[0]


def test_a_segment_of_another_audience_is_not_chosen(client, audience_id, run_jobs):
    other = make_audience(client, run_jobs, name="Second")
    first = segment_ids(client, audience_id)[0]
    foreign = segment_ids(client, other)[0]
    data = {"name": "Priya", "segment_id": str(foreign)}
    place = client.post(f"/app/described-segments/{first}/personas/new", data=data).location
    assert client.get(f"/personas/{place.rpartition('/')[2]}").get_json()["segment_id"] == first


def test_deleting_says_what_goes_and_leads_back_to_the_audience(client, audience_id):
    persona_id = first_persona(client, audience_id)
    client.post(f"/app/personas/{persona_id}/chat")
    assert "1\xa0conversation will be gone" in client.get(f"/app/personas/{persona_id}").text
    assert client.post(f"/app/personas/{persona_id}/delete").location == f"/app/audiences/{audience_id}"
    assert client.get(f"/app/personas/{persona_id}").status_code == 404


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
