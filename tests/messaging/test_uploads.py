"""Files of contacts: taken in, counted, gone on with after a kill; a no outlives every file."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

URL = "/messaging/api/v1/users"
ROOT = Path(__file__).resolve().parents[2]
TABLE = (
    "phone_e164,name,city,tier,consent_state\n"
    "+14155551234,John Doe,San Francisco,premium,OPT_IN\n"
    "+14155555678,Jane Smith,Austin,standard,opt_in\n"
    "nonsense,Bob,Oslo,standard,OPT_IN\n"
    "+14155559999,Cy,Paris,standard,PERHAPS\n"
)


@pytest.fixture
def worker(run_jobs):
    """Jobs are run beside the calls that wait for them."""
    stop = threading.Event()

    def work():
        while not stop.wait(0.02):
            run_jobs()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def upload(client, worker):
    """Send a file and look at the status."""

    def send(text, name="users.csv", status=200):
        data = {"file": (io.BytesIO(text if isinstance(text, bytes) else text.encode()), name)}
        answer = client.post(f"{URL}/bulk/upload", data=data, content_type="multipart/form-data")
        assert answer.status_code == status, answer.text
        return answer.get_json()

    return send


def word_of(client, phone):
    return client.get(f"{URL}/{phone}").get_json()["consent_state"]


def test_a_table_becomes_users_and_the_counts_add_up(upload, client):
    done = upload(TABLE)
    assert done["message"] == "Bulk upload completed"
    assert (done["processed"], done["created"], done["updated"], done["errors"]) == (4, 2, 0, 2)
    assert done["validation_errors"] == [
        {"row": 3, "field": "phone_e164", "message": "Phone number must be in E.164 format", "provided": "nonsense"},
        {"row": 4, "field": "consent_state", "message": "Unknown consent state", "provided": "PERHAPS"},
    ]
    john = client.get(f"{URL}/14155551234").get_json()
    assert john["consent_state"] == "OPT_IN"
    assert john["attributes"] == {"name": "John Doe", "city": "San Francisco", "tier": "premium"}


def test_a_file_sent_twice_changes_nothing_and_says_updated(upload, client):
    upload(TABLE)
    before = client.get(f"{URL}/14155551234").get_json()
    again = upload(TABLE)
    assert (again["processed"], again["created"], again["updated"], again["errors"]) == (4, 0, 2, 2)
    assert client.get(f"{URL}/14155551234").get_json() == before
    assert client.get(URL).get_json()["total"] == 2


ROWS = [
    {"phone_e164": "+14155550101", "consent_state": "OPT_IN", "attributes": {"name": "Ann", "age": 30}},
    {"phone_e164": "+14155550102", "city": "Rome", "consent_state": None},
    {"phone_e164": "+14155550101", "attributes": {"age": 31}},
    {"name": "Nobody"},
    {"phone_e164": "+14155550103", "attributes": [1]},
]


@pytest.mark.parametrize(
    ("name", "text"),
    [("users.json", json.dumps(ROWS, indent=1)), ("users.jsonl", "\n".join(map(json.dumps, ROWS)))],
)
def test_json_is_taken_as_the_api_takes_it_and_flat(upload, client, name, text):
    done = upload(text, name)
    assert (done["processed"], done["created"], done["updated"], done["errors"]) == (5, 2, 1, 2)
    assert [one["field"] for one in done["validation_errors"]] == ["phone_e164", "attributes"]
    assert client.get(f"{URL}/14155550101").get_json()["attributes"] == {"name": "Ann", "age": 31}
    assert client.get(f"{URL}/14155550102").get_json()["attributes"] == {"city": "Rome"}


def test_of_many_refused_rows_the_first_hundred_are_named_and_all_are_counted(upload):
    done = upload("phone_e164\n" + "\n".join(f"bad{n}" for n in range(2500)))
    assert (done["processed"], done["created"], done["updated"], done["errors"]) == (2500, 0, 0, 2500)
    assert [one["row"] for one in done["validation_errors"]] == list(range(1, 101))


def test_a_number_that_finds_no_place_beside_an_email_address_is_refused_and_counted(upload, client):
    rows = [f"+1415555{n:04},many@mail.example" for n in range(200, 206)]
    done = upload("phone_e164,email\n" + "\n".join([*rows, "+14155550300,", "+14155550200,"]))
    assert (done["processed"], done["created"], done["updated"], done["errors"]) == (8, 6, 1, 1)
    assert "as many numbers as one may have" in done["validation_errors"][0]["message"]
    assert client.get(URL).get_json()["total"] == 2


@pytest.mark.parametrize("word", ["OPT_OUT", "STOP"])
def test_a_yes_in_a_file_never_lifts_a_no(upload, client, word):
    upload(TABLE)
    client.put(f"{URL}/14155551234", json={"consent_state": word})
    assert upload(TABLE)["updated"] == 2
    assert word_of(client, "14155551234") == word
    assert word_of(client, "14155555678") == "OPT_IN"


def test_a_no_in_a_file_is_obeyed_and_does_not_hide_a_stop(upload, client):
    upload(TABLE)
    client.put(f"{URL}/14155551234", json={"consent_state": "STOP"})
    upload("phone_e164,consent_state\n+14155551234,OPT_OUT\n+14155555678,STOP\n")
    assert word_of(client, "14155551234") == "STOP"
    assert word_of(client, "14155555678") == "STOP"


def test_a_yes_in_a_file_does_not_bring_back_a_number_whose_erased_owner_said_no(upload, client):
    upload(TABLE)
    client.put(f"{URL}/14155551234", json={"consent_state": "STOP"})
    assert client.delete(f"{URL}/14155551234").status_code == 200
    assert upload(TABLE)["created"] == 1
    assert word_of(client, "14155551234") == "UNKNOWN"
    assert client.put(f"{URL}/14155551234", json={"consent_state": "OPT_IN"}).status_code == 200
    client.delete(f"{URL}/14155551234")
    assert upload(TABLE)["created"] == 1
    assert word_of(client, "14155551234") == "OPT_IN"


def test_every_word_of_a_file_has_the_file_and_the_row_as_evidence(upload, client):
    upload(TABLE)
    person = client.get("/api/v1/cdp/profiles?q=jane").get_json()["items"][0]["id"]
    record = client.get(f"/api/v1/cdp/profiles/{person}/consent").get_json()["records"][0]
    assert (record["source"], record["evidence"]["file"], record["evidence"]["row"]) == ("upload", "users.csv", 2)


@pytest.fixture
def cost(client, app, monkeypatch, run_jobs):
    """How many steps SQLite goes to take a file of numbers in: a measure that no other work on the machine shifts."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    from app.core.jobs_run import execute
    from app.messaging.api import contact_uploads as edge

    monkeypatch.setattr(edge, "WAIT_SECONDS", 0.0)

    def of(numbers):
        steps = []
        hooks = {"checkout": lambda connection, *_: connection.set_progress_handler(lambda: steps.append(100), 100),
                 "checkin": lambda connection, *_: connection.set_progress_handler(None, 0)}  # fmt: skip
        text = "phone_e164,consent_state\n" + "\n".join(f"+1212{number},OPT_IN" for number in numbers)
        data = {"file": (io.BytesIO(text.encode()), "users.csv")}
        job_id = client.post(f"{URL}/bulk/upload", data=data, content_type="multipart/form-data").get_json()["job_id"]
        for name, hook in hooks.items():
            event.listen(Engine, name, hook)
        try:
            with app.app_context():
                execute(job_id)
        finally:
            for name, hook in hooks.items():
                event.remove(Engine, name, hook)
        run_jobs()
        return sum(steps)

    return of


@pytest.mark.skipif(bool(os.environ.get("TEST_DATABASE_URL")), reason="SQLite counts its steps, PostgreSQL does not")
def test_what_a_file_costs_follows_its_rows_and_not_who_is_there_already(cost):
    few = cost(range(2_000_000, 2_000_020))
    cost(range(3_000_000, 3_004_000))
    assert cost(range(4_000_000, 4_000_020)) < 2 * few
    assert cost(range(4_000_000, 4_000_020)) < 2 * few  # of people who are known by now


@pytest.mark.parametrize(
    ("name", "content", "provided"),
    [("photo.png", b"\x89PNG\r\n\x00\x00", "photo.png"), ("empty.csv", b"", "empty.csv"),
     ("other.csv", b"name,city\nAda,Rome\n", "name, city"), ("book.pdf", b"%PDF-1.4\n1 0 obj", "%PDF-1.4"),
     ("wide.csv", "phone_e164\n".encode("utf-16"), "wide.csv")],
)  # fmt: skip
def test_a_file_of_the_wrong_kind_is_refused_whole(upload, client, name, content, provided):
    body = upload(content, name, 400)
    assert (body["error"], body["details"]["field"], body["details"]["provided"]) == (
        "validation_error", "file", provided,
    )  # fmt: skip
    assert body["details"]["expected"]
    assert client.get(URL).get_json()["total"] == 0


def test_a_call_without_a_file_is_refused(client):
    nothing = client.post(f"{URL}/bulk/upload", data={"x": "y"}, content_type="multipart/form-data")
    assert (nothing.status_code, nothing.get_json()["details"]["field"]) == (400, "file")
    plain = client.post(f"{URL}/bulk/upload", data=TABLE, content_type="text/csv")
    assert (plain.status_code, plain.get_json()["details"]["provided"]) == (415, "text/csv")


def test_a_file_that_is_too_large_is_refused_in_the_contracts_words(upload, settings_override):
    settings_override(import_max_bytes=100_000)
    for rows in (10_000, 300_000):
        body = upload(b"phone_e164\n" + b"+14155551234\n" * rows, status=413)
        assert (body["error"], bool(body["request_id"])) == ("payload_too_large", True)
        assert (body["details"]["field"], body["details"]["expected"]) == ("file", "at most 100000 bytes")
    assert int(body["details"]["provided"].removesuffix(" bytes")) > 300_000 * 13


BROKEN = json.dumps([{"phone_e164": f"+1415555{n:04}"} for n in range(100, 200)])[:-5]


def test_a_file_that_breaks_off_is_not_called_done(upload, client):
    body = upload(BROKEN, "users.json", 422)
    assert body["error"] == "upload_failed"
    assert "whole JSON list" in body["message"]
    state = client.get(f"{URL}/bulk/uploads/{body['details']['upload_id']}").get_json()
    assert state["state"] == "failed"
    assert "whole JSON list" in state["error"]


def test_a_long_upload_is_answered_with_where_to_ask(client, monkeypatch, run_jobs):
    from app.messaging.api import contact_uploads as edge

    monkeypatch.setattr(edge, "WAIT_SECONDS", 0.0)
    data = {"file": (io.BytesIO(TABLE.encode()), "users.csv")}
    answer = client.post(f"{URL}/bulk/upload", data=data, content_type="multipart/form-data")
    assert (answer.status_code, answer.get_json()["message"]) == (202, "Bulk upload started")
    url = f"{URL}/bulk/uploads/{answer.get_json()['upload_id']}"
    assert client.get(url).get_json()["state"] == "queued"
    run_jobs()
    done = client.get(url).get_json()
    assert (done["state"], done["processed"], done["progress"], done["created"]) == ("done", 4, 1.0, 2)


def test_another_workspaces_upload_is_not_found(upload, client, client_for, other_member):
    upload_id = upload(BROKEN, "broken.json", 422)["details"]["upload_id"]
    assert client.get(f"{URL}/bulk/uploads/{upload_id}").status_code == 200
    assert client_for(other_member).get(f"{URL}/bulk/uploads/{upload_id}").status_code == 404


def test_what_refused_rows_held_is_forgotten_after_thirty_days(upload, client, app, member, in_tenant):
    from datetime import timedelta

    from app.core.clock import utc_now
    from app.core.db import db, unit_of_work
    from app.core.schedule import table
    from app.core.tenancy import platform_scope
    from app.messaging.models import ContactUpload

    upload(TABLE)
    with in_tenant(member.tenant_id), unit_of_work():
        row = db.session.query(ContactUpload).one()
        upload_id, row.finished_at = row.id, utc_now() - timedelta(days=31)
    with app.app_context(), platform_scope():
        table["messaging.purge_uploads"].function()
    left = client.get(f"{URL}/bulk/uploads/{upload_id}").get_json()
    assert (left["validation_errors"], left["errors"]) == ([], 2)


WORKER = """
import sys
from app import create_app
from app.core.db import db
from app.core.jobs_run import execute
app = create_app()
with app.app_context():
    execute(sys.argv[1])
"""


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_leaves_counts_that_add_up_in_the_end(client, app, monkeypatch, run_jobs):
    from app.core.db import db, unit_of_work
    from app.core.jobs import BackgroundJob, JobState
    from app.messaging.api import contact_uploads as edge

    monkeypatch.setattr(edge, "WAIT_SECONDS", 0.0)
    lines = [f"+1212{2_000_000 + n},Person {n},OPT_IN" if n % 10 else f"bad{n},x,OPT_IN" for n in range(30_000)]
    data = {"file": (io.BytesIO(("phone_e164,name,consent_state\n" + "\n".join(lines)).encode()), "many.csv")}
    started = client.post(f"{URL}/bulk/upload", data=data, content_type="multipart/form-data").get_json()
    url = f"{URL}/bulk/uploads/{started['upload_id']}"
    for at_least in (1000, 9000):
        worker = subprocess.Popen([sys.executable, "-c", WORKER, started["job_id"]], cwd=ROOT, env=os.environ)
        deadline = time.monotonic() + 60
        while client.get(url).get_json()["processed"] < at_least and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        halfway = client.get(url).get_json()
        assert halfway["state"] == "running"
        assert at_least <= halfway["processed"] < 30_000
        assert halfway["created"] + halfway["updated"] + halfway["errors"] == halfway["processed"]
        with app.app_context(), unit_of_work():  # what the sweep does once the lease has run out
            db.session.get(BackgroundJob, started["job_id"]).state = JobState.QUEUED
    run_jobs()
    done = client.get(url).get_json()
    assert done["state"] == "done"
    assert (done["processed"], done["created"], done["updated"], done["errors"]) == (30_000, 27_000, 0, 3_000)
    assert client.get(f"{URL}?consent_state=OPT_IN").get_json()["total"] == 27_000


@pytest.mark.parametrize("between", [0, 1000])
@pytest.mark.parametrize("no", ["STOP", "OPT_OUT"])
def test_a_no_in_a_file_stands_against_a_yes_below_it_however_far(upload, client, no, between):
    others = "".join(f"+1415556{number:04},\n" for number in range(between))
    upload(f"phone_e164,consent_state\n+14155551235,{no}\n{others}+14155551235,OPT_IN\n")
    assert word_of(client, "14155551235") == no


def test_a_stop_in_a_file_stays_one_whatever_else_the_file_says(upload, client):
    upload("phone_e164,consent_state\n+14155551235,OPT_IN\n+14155551235,STOP\n+14155551235,OPT_OUT\n")
    assert word_of(client, "14155551235") == "STOP"


def test_a_run_whose_end_could_not_be_written_is_done_by_the_next_one(client, monkeypatch, run_jobs):
    from sqlalchemy import event
    from sqlalchemy.orm import Session

    from app.messaging.api import contact_uploads as edge
    from app.messaging.models import ContactUpload

    monkeypatch.setattr(edge, "WAIT_SECONDS", 0.0)
    data = {"file": (io.BytesIO(TABLE.encode()), "users.csv")}
    started = client.post(f"{URL}/bulk/upload", data=data, content_type="multipart/form-data").get_json()
    refused = []

    def refuse_once(session):
        ends = any(isinstance(row, ContactUpload) and row.state == "done" for row in session.identity_map.values())
        if ends and not refused:
            refused.append(True)
            raise RuntimeError("the database went away")

    event.listen(Session, "before_commit", refuse_once)
    try:
        run_jobs()
    finally:
        event.remove(Session, "before_commit", refuse_once)
    assert refused
    done = client.get(f"{URL}/bulk/uploads/{started['upload_id']}").get_json()
    assert (done["state"], done["processed"]) == ("done", 4)
