"""Adding and changing personas by hand, over HTTP: free-form data in, the same data out."""

import html
import re

import pytest

from tests.insights.pictures import Pages, add_persona, first_persona, make_audience, segment_ids, words

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
