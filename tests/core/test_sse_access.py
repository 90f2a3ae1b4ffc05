"""Who may hear which channel, and how soon a stream ends once they may not any more."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import update

from app.accounts.models import ApiKey, Membership, Scope, User, UserSession
from app.accounts.services import api_keys, sessions, tokens
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.sse import publish

KINDS = ["cookie", "token", "key"]


class Program:
    """A client that shows a bearer instead of a cookie."""

    def __init__(self, app, bearer: str) -> None:
        self._client = app.test_client()
        self._headers = {"Authorization": f"Bearer {bearer}"}

    def get(self, path, headers=None, **more):
        return self._client.get(path, headers={**self._headers, **(headers or {})}, **more)


@pytest.fixture
def program(app, in_tenant):
    """`program(who, "token")`: a program that acts for them."""

    def make(who, kind):
        if kind == "key":
            with in_tenant(who.tenant_id), unit_of_work():
                scopes = [Scope.READ, Scope.ADMIN]
                return Program(app, api_keys.create("Reader", scopes, created_by=who.id, expires_at=None)[1])
        with app.app_context(), unit_of_work():
            visit = sessions.Visit("192.0.2.1", "a program", kind="tokens")
            session, _token = sessions.open_session(db.session.get_one(User, who.id), visit)
            return Program(app, tokens.issue_access(who.id, session.id, session.tenant_id))

    return make


@pytest.fixture
def caller(client_for, program):
    return lambda who, kind: client_for(who) if kind == "cookie" else program(who, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_tenants_channel_is_open_to_every_credential(open_stream, caller, member, kind):
    stream = open_stream(of=caller(member, kind))
    publish("audience", "ours", {}, tenant_id=member.tenant_id)
    assert stream.next().event == "ours"


@pytest.mark.parametrize("kind", ["cookie", "token"])
def test_a_persons_own_channel_is_open_to_them(open_stream, caller, member, kind):
    stream = open_stream(f"channel=user.{member.id}", of=caller(member, kind))
    publish(f"user.{member.id}", "mine", {}, tenant_id=member.tenant_id)
    assert stream.next().event == "mine"


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_channel_is_open(caller, make_member, member, other_member, kind):
    colleague = make_member("analyst", member.tenant_id)
    channels = [
        f"user.{colleague.id}", f"user.{other_member.id}", "user.0", "user.", "everything", "", "sse:1:audience",
        f"sse:{other_member.tenant_id}:audience", "*",
    ]  # fmt: skip
    who = caller(member, kind)
    for channel in channels:
        for query in (f"channel={channel}", f"channel=audience&channel={channel}"):
            answer = who.get(f"/stream?{query}")
            assert (answer.status_code, answer.get_json()["code"]) == (403, "permission_denied"), query


def test_a_key_hears_the_tenant_and_no_person_not_even_its_maker(program, member):
    answer = program(member, "key").get(f"/stream?channel=user.{member.id}")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "permission_denied")


def test_a_key_that_may_not_read_hears_nothing(app, in_tenant, member):
    with in_tenant(member.tenant_id), unit_of_work():
        text = api_keys.create("Writer", [Scope.EVENTS], created_by=member.id, expires_at=None)[1]
    assert Program(app, text).get("/stream?channel=audience").status_code == 403


@pytest.mark.parametrize("kind", KINDS)
def test_another_tenants_updates_are_never_heard(open_stream, caller, member, other_member, kind):
    theirs = open_stream(of=caller(other_member, kind))
    publish("audience", "secret", {}, tenant_id=member.tenant_id)
    assert theirs.silence()


def test_nobody_listens_without_signing_in(anonymous):
    answer = anonymous.get("/stream?channel=audience")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthenticated")


def end_sessions(who, _other):
    return update(UserSession).where(UserSession.user_id == who.id).values(ended_at=utc_now())


def switch_tenant(who, other):
    return update(UserSession).where(UserSession.user_id == who.id).values(tenant_id=other.tenant_id)


def deactivate(who, _other):
    return update(Membership).where(Membership.user_id == who.id).values(is_active=False)


def disable(who, _other):
    return update(User).where(User.id == who.id).values(is_enabled=False)


def revoke_keys(who, _other):
    return update(ApiKey).where(ApiKey.tenant_id == who.tenant_id).values(revoked_at=utc_now())


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("cookie", end_sessions), ("token", end_sessions), ("cookie", switch_tenant), ("token", switch_tenant),
        ("cookie", deactivate), ("token", disable), ("key", revoke_keys),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_busy", [False, True])
def test_a_stream_ends_within_the_recheck(
    open_stream, caller, app, in_tenant, make_member, member, other_member, settings_override, kind, ending, is_busy
):
    settings_override(sse_recheck_seconds=0.3)
    staying = open_stream(of=caller(make_member("analyst", member.tenant_id), "cookie"))
    stream = open_stream(of=caller(member, kind))
    settings_override(sse_heartbeat_seconds=30 if not is_busy else 0.1)
    if ending is switch_tenant:
        with app.app_context(), unit_of_work():
            db.session.add(Membership(user_id=member.id, tenant_id=other_member.tenant_id, role="analyst"))
    with in_tenant(member.tenant_id), unit_of_work():
        db.session.execute(ending(member, other_member))
    began = time.monotonic()
    for _frame in stream.frames(10):
        if is_busy:
            publish("audience", "news", {}, tenant_id=member.tenant_id)
            time.sleep(0.02)
    assert time.monotonic() - began < 3  # it came to its end by itself
    assert len(list(staying.frames(0.5))) > 1


def test_a_recheck_that_is_none_stops_the_start(monkeypatch):
    from app.core.config import ConfigurationError, load_settings

    monkeypatch.setenv("SSE_RECHECK_SECONDS", "0")
    with pytest.raises(ConfigurationError, match="SSE_RECHECK_SECONDS"):
        load_settings()
