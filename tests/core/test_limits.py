"""What every limited answer says of its limit, and what happens past the end."""

from __future__ import annotations

import re
import threading
import time

import pytest
from structlog.testing import capture_logs

from app.core import contract_limits, ratelimit
from app.core.ratelimit import Limit

HEADERS = ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")


def figures(answer):
    return tuple(int(answer.headers[name]) for name in HEADERS)


@pytest.fixture
def small(monkeypatch):
    """Make limits of a few calls: `small(insight_credential=3)`."""

    def change(window="minute", **uses: int) -> None:
        for name, number in uses.items():
            table_name = name.replace("__", ".")
            table = contract_limits.LIMITS if table_name in contract_limits.LIMITS else ratelimit.LIMITS
            message, closed = table[table_name].message, table[table_name].fails_closed
            monkeypatch.setitem(table, table_name, Limit(f"{number}/{window}", message, closed))

    return change


def test_every_answer_says_how_many_are_left_and_when_there_will_be_more(client):
    first, second = client.get("/audience"), client.get("/audience/424242")
    assert (first.status_code, second.status_code) == (200, 404)
    assert [figures(answer)[:2] for answer in (first, second)] == [(600, 599), (600, 598)]
    assert 55 <= figures(first)[2] - time.time() <= 61
    assert abs(figures(second)[2] - figures(first)[2]) <= 1


def test_past_the_end_a_call_is_refused_until_the_oldest_is_forgotten(client, small):
    small("2seconds", insight__credential=2)
    assert [client.get("/audience").status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get("/audience")
    assert (refused.status_code, refused.get_json()["code"]) == (429, "rate_limited")
    assert figures(refused)[:2] == (2, 0)
    wait = int(refused.headers["Retry-After"])
    assert 1 <= wait <= 2
    assert abs(figures(refused)[2] - time.time() - wait) <= 1
    time.sleep(max(0, figures(refused)[2] - time.time()))
    assert client.get("/audience").status_code == 200


def test_the_window_slides(client, small):
    small("2seconds", insight__credential=2)
    client.get("/audience")
    time.sleep(1.2)
    client.get("/audience")
    time.sleep(0.9)  # the first is forgotten, the second is not
    assert [client.get("/audience").status_code for _ in range(2)] == [200, 429]


def test_a_refused_call_changes_nothing_and_uses_up_nothing(client, small):
    small(insight__credential=2)
    for _ in range(5):
        client.post("/audience", json={"name": "Ours"})
    small(insight__credential=20)
    answer = client.get("/audience")
    assert len(answer.get_json()) == 2
    assert figures(answer)[:2] == (20, 17)


def test_each_credential_is_counted_for_itself(client_for, member, small):
    small(insight__credential=2)
    one, other = client_for(member), client_for(member)
    assert [one.get("/audience").status_code for _ in range(3)] == [200, 200, 429]
    assert other.get("/audience").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guess"}, {"Authorization": "Bearer key_guess"}])
@pytest.mark.parametrize(
    "path", ["/audience", "/api/v1/nowhere", "/api/nowhere", "/api/v1/cdp/audience-sync/x", "/messaging/api/v1/x"]
)
def test_those_who_are_refused_at_the_door_are_counted_by_their_address(anonymous, small, path, headers):
    small(
        insight__address=3, stratum__address=3, tobermory__address=3, sync__address=3, messaging__address=3,
    )  # fmt: skip
    answers = [anonymous.get(path, headers=headers) for _ in range(5)]
    assert [answer.status_code for answer in answers][3:] == [429, 429]
    assert answers[0].status_code in (401, 404)
    assert [figures(answer)[:2] for answer in answers] == [(3, 2), (3, 1), (3, 0), (3, 0), (3, 0)]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert "WWW-Authenticate" not in answers[-1].headers


def test_whoever_guesses_from_an_address_does_not_lock_out_those_who_know(anonymous, client, small):
    small(insight__address=2)
    guesses = [anonymous.get("/audience", headers={"Authorization": "Bearer key_guess"}) for _ in range(3)]
    assert guesses[-1].status_code == 429
    assert client.get("/audience").status_code == 200


def test_addresses_are_counted_apart(app, small):
    small(insight__address=1)
    statuses = [
        app.test_client().get("/audience", environ_base={"REMOTE_ADDR": address}).status_code
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
    ]
    assert statuses == [401, 429, 401]


def test_a_refusal_before_the_guards_counts_too(client, small):
    small(insight__address=1)
    forged = {"headers": {"Sec-Fetch-Site": "cross-site"}, "environ_base": {"REMOTE_ADDR": "192.0.2.1"}}
    statuses = [client.post("/audience", json={"name": "x"}, **forged).status_code for _ in range(2)]
    assert statuses == [403, 429]


def test_pages_and_probes_are_not_limited(client, anonymous, small):
    small(insight__credential=1, insight__address=1)
    for _ in range(3):
        for path in ("/app", "/app/audiences"):
            answer = client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 200
            assert HEADERS[0] not in answer.headers
        assert anonymous.get("/login", headers={"Accept": "text/html"}).status_code == 200
        assert anonymous.get("/healthz").status_code == 200


def test_the_tightest_of_several_limits_is_the_one_shown(client, anonymous, small):
    small(audience__create=5)
    made = client.post("/audience", json={"name": "Ours"})
    assert figures(made)[:2] == (5, 4)
    assert figures(client.get("/audience"))[0] == 600
    wrong = anonymous.post("/login", json={"email": "nobody@example.com", "password": "a wrong password"})
    assert figures(wrong)[:2] == (8, 7)


def test_the_limit_of_an_operation_refuses_with_its_own_figures(client, small):
    small(audience__create=1)
    client.post("/audience", json={"name": "Ours"})
    refused = client.post("/audience", json={"name": "Ours"})
    assert (refused.status_code, figures(refused)[:2]) == (429, (1, 0))


def test_a_sign_in_form_is_told_its_figures_too(anonymous, small):
    small(login__account=1)
    page = anonymous.get("/login", headers={"Accept": "text/html"}).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    form = {"csrf_token": token, "email": "nobody@example.com", "password": "a wrong password"}
    answers = [anonymous.post("/login", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [401, 429]
    assert figures(answers[1])[:2] == (1, 0)


def test_a_factor_multiplies_every_limit_and_leaves_at_least_one_call(settings_override):
    limit = Limit("10/minute", "")
    for factor, uses in ((1.0, 10), (2.5, 25), (0.5, 5), (0.001, 1)):
        settings_override(rate_limit_factor=factor)
        assert limit.uses == uses


def test_a_factor_counts_for_answers_at_once(client, settings_override):
    settings_override(rate_limit_factor=0.005)
    assert figures(client.get("/audience"))[0] == 3


@pytest.mark.parametrize("value", ["0", "-1", "inf", "nan", "many"])
def test_a_factor_that_is_none_stops_the_start(monkeypatch, value):
    from app.core.config import ConfigurationError, load_settings

    monkeypatch.setenv("RATE_LIMIT_FACTOR", value)
    with pytest.raises(ConfigurationError, match="RATE_LIMIT_FACTOR"):
        load_settings()


def test_without_the_store_calls_pass_with_a_warning_and_no_figures(client, store):
    store.stop()
    try:
        with capture_logs() as lines:
            answer = client.get("/audience")
    finally:
        store.start()
    assert answer.status_code == 200
    assert HEADERS[0] not in answer.headers
    warned = [line for line in lines if line["event"] == "rate_limits_unavailable"]
    assert [(line["log_level"], line["limits"]) for line in warned] == [("warning", ["insight.credential"])]
    assert figures(client.get("/audience"))[0] == 600  # a store that was started anew does not know the script


@pytest.mark.parametrize("name", ["login.account", "mfa.account", "token.refresh"])
def test_without_the_store_nobody_signs_in(app_context, store, name):
    from app.core.errors import Unavailable

    store.stop()
    try:
        with pytest.raises(Unavailable):
            ratelimit.check(name, "7")
    finally:
        store.start()


def test_calls_at_the_same_moment_are_counted_one_by_one(app, client, small):
    small(insight__credential=5)
    cookie = next(iter(client._cookies.values()))
    statuses = []

    def call():
        own = app.test_client(use_cookies=False)
        statuses.append(own.get("/audience", headers={"Cookie": f"{cookie.key}={cookie.value}"}).status_code)

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(statuses) == [200] * 5 + [429] * 7


def test_all_addresses_of_one_network_count_as_one(anonymous, small):
    def ask(address):
        return anonymous.get("/audience", environ_base={"REMOTE_ADDR": address}).status_code

    small(insight__address=2)
    assert [ask(f"2001:db8:1:2::{number}") for number in (1, 2, 3)] == [401, 401, 429]
    assert ask("2001:db8:1:3::1") == 401
    assert [ask(address) for address in ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1")] == [401, 401, 429]
