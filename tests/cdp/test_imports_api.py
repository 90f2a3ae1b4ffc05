"""Files in: mapped, tried, taken in, gone on with after a stop, refused rows handed back."""

from __future__ import annotations

import csv
import io
import json

import pytest

URL = "/api/v1/cdp/imports"
TABLE = "id,email,name,city,zip\nu1,ada@mail.org,Ada Byron,Rome,00123\nu2,nonsense,Bob,Oslo,9\nu3,,Cy,Paris,7\n"


def upload(people, text, name="people.csv", kind="people", status=201):
    data = {"file": (io.BytesIO(text if isinstance(text, bytes) else text.encode()), name), "kind": kind}
    answer = people.client.post(URL, data=data, content_type="multipart/form-data")
    assert answer.status_code == status, answer.text
    return answer.get_json()


def start(people, one, mapping=None, status=202):
    body = {"mapping": one["suggested_mapping"] if mapping is None else mapping}
    return people.post(f"/imports/{one['id']}/start", body, status=status)


def test_a_table_of_people_becomes_profiles_and_refused_rows_come_back_with_reasons(people, run_jobs):
    one = upload(people, TABLE)
    assert one["columns"] == ["id", "email", "name", "city", "zip"]
    assert one["suggested_mapping"]["id"] == "user_id"
    start(people, one)
    run_jobs()
    done = people.get(f"/imports/{one['id']}")
    assert (done["state"], done["accepted"], done["rejected"]) == ("done", 2, 1)
    ada = people.profile(people.find("ada@mail")[0])
    assert (ada["name"], ada["user_id"]) == ("Ada Byron", "u1")
    assert ada["traits"] == {"name": "Ada Byron", "city": "Rome", "zip": "00123"}
    assert people.profile(people.find("u3")[0])["traits"]["zip"] == 7
    refused = list(csv.DictReader(io.StringIO(people.client.get(f"{URL}/{one['id']}/rejected").text)))
    assert [(row["row"], row["field"], row["id"]) for row in refused] == [("2", "email", "u2")]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(people):
    people.send(user_id="u1")
    one = upload(people, TABLE)
    found = people.post(f"/imports/{one['id']}/dry-run", {"mapping": one["suggested_mapping"]}, status=200)
    assert (found["rows"], found["accepted"], found["rejected"]) == (3, 2, 1)
    assert (found["known_people"], found["new_people"]) == (1, 1)
    assert found["errors"][0]["field"] == "email"
    assert len(people.everyone()) == 1


EVENTS = [
    {"event_name": "purchase", "user_id": "u1", "properties": {"amount": 5}, "timestamp": "2026-01-02T10:00:00Z"},
    {"event_name": "purchase", "properties": {"amount": 5}},
    {"event_name": "page", "user_id": "u1"},
]


@pytest.mark.parametrize(
    ("name", "text"),
    [("events.json", json.dumps(EVENTS, indent=1)), ("events.jsonl", "\n".join(map(json.dumps, EVENTS)))],
)
def test_json_events_go_in_as_they_are(people, run_jobs, name, text):
    one = upload(people, text, name, "events")
    start(people, one, {})
    run_jobs()
    done = people.get(f"/imports/{one['id']}")
    assert (done["accepted"], done["rejected"], done["rows_done"]) == (2, 1, 3)
    assert people.events_of(people.find("u1")[0]) == ["page", "purchase"]


def test_quoted_cells_semicolons_and_old_encodings_are_read(people, run_jobs):
    text = 'user_id;name;note\nu1;"Zoë; the ""first""";"two\nlines"\n'.encode("cp1252")
    one = upload(people, text)
    start(people, one)
    run_jobs()
    traits = people.profile(people.find("u1")[0])["traits"]
    assert traits == {"name": 'Zoë; the "first"', "note": "two\nlines"}


def test_an_import_that_was_stopped_goes_on_where_it_was(people, run_jobs, monkeypatch):
    from app.cdp.services import imports_run

    rows = [f"u{n},{'x' if n % 7 == 0 else f'u{n}@mail.org'}" for n in range(50)]
    one = upload(people, "user_id,email\n" + "\n".join(rows))
    start(people, one)
    monkeypatch.setattr(imports_run, "BATCH", 10)
    take, calls = imports_run.take, []

    def failing(import_id, step):
        calls.append(step.began_at)
        if len(calls) == 3:
            imports_run._keep_refused(imports_run.imports.get_import(import_id), step)  # as a crash before the commit
            raise RuntimeError("the worker is gone")
        return take(import_id, step)

    monkeypatch.setattr(imports_run, "take", failing)
    run_jobs()
    done = people.get(f"/imports/{one['id']}")
    assert (done["state"], done["accepted"], done["rejected"]) == ("done", 42, 8)
    assert len(calls) == 6
    assert len(people.everyone()) == 42
    refused = list(csv.DictReader(io.StringIO(people.client.get(f"{URL}/{one['id']}/rejected").text)))
    assert [row["user_id"] for row in refused] == [f"u{n}" for n in range(0, 50, 7)]


def test_a_stopped_import_takes_nothing_more(people, run_jobs):
    one = upload(people, TABLE)
    start(people, one)
    people.post(f"/imports/{one['id']}/cancel", {}, status=200)
    run_jobs()
    assert people.everyone() == []
    start(people, one, status=409)


@pytest.mark.parametrize(
    "mapping",
    [{}, {"id": "nose"}, {"nothing": "user_id"}, {"id": "user_id", "email": "user_id"}, {"name": "traits.name"},
     {"id": "external_ids.Bad System"}, {"id": 3}],
)  # fmt: skip
def test_a_mapping_that_cannot_work_is_refused(people, mapping):
    one = upload(people, TABLE)
    start(people, one, mapping, status=422)


@pytest.mark.parametrize("text", [b"", b"\x00\x01binary", "\ufeffwide".encode("utf-16"), b"a,a\n1,2\n", b"\n\nx"])
def test_a_file_nobody_can_read_is_refused_at_once(people, text):
    upload(people, text, status=422)


def test_a_file_that_breaks_off_fails_with_the_reason(people, run_jobs):
    whole = ", ".join(json.dumps({"user_id": f"u{n}"}) for n in range(10))
    one = upload(people, f'[{whole}, {{"user_id": ', "people.json")
    start(people, one, {})
    run_jobs()
    done = people.get(f"/imports/{one['id']}")
    assert done["state"] == "failed"
    assert "whole JSON list" in done["error"]


def test_a_file_that_is_too_large_is_refused(people, settings_override):
    settings_override(import_max_bytes=100_000)
    upload(people, b"user_id\n" + b"u1\n" * 40_000, status=413)
    upload(people, b"user_id\n" + b"u1\n" * 4_000_000, status=413)
    upload(people, b"user_id\n" + b"u1\n" * 30_000)


def test_an_import_of_another_workspace_is_not_found(people, client_for, other_member):
    one = upload(people, TABLE)
    stranger = client_for(other_member)
    assert stranger.get(f"{URL}/{one['id']}").status_code == 404
    assert stranger.post(f"{URL}/{one['id']}/start", json={"mapping": {}}).status_code == 404
    assert stranger.get(f"{URL}/{one['id']}/rejected").status_code == 404
