"""Whom a call says it came from and whom it is for: believed of our own proxies, and only for names of ours."""

from __future__ import annotations

import pytest

FORWARDED = {
    "X-Forwarded-For": "203.0.113.9, 198.51.100.7",
    "X-Forwarded-Host": "first.example, second.example",
    "X-Forwarded-Proto": "gopher, https",
}
DIALECTS = ["/audience", "/api/v1/users", "/api/audiences", "/api/v1/cdp/audience-sync/x", "/messaging/api/v1/x"]


def test_without_proxies_nobody_says_who_they_are(make_app):
    seen = make_app(trusted_proxies=0).test_client().get("/seen", headers=FORWARDED).get_json()
    assert (seen["address"], seen["host"], seen["scheme"]) == ("127.0.0.1", "localhost", "http")


@pytest.mark.parametrize(
    ("proxies", "address", "host", "scheme"),
    [(1, "198.51.100.7", "second.example", "https"), (2, "203.0.113.9", "first.example", "gopher")],
)
def test_so_many_proxies_are_believed_and_none_before_them(make_app, proxies, address, host, scheme):
    client = make_app(trusted_proxies=proxies).test_client()
    seen = client.get("/seen", headers=FORWARDED).get_json()
    assert (seen["address"], seen["host"], seen["scheme"]) == (address, host, scheme)


def test_more_proxies_than_wrote_a_header_believe_nothing(make_app):
    seen = make_app(trusted_proxies=3).test_client().get("/seen", headers=FORWARDED).get_json()
    assert (seen["address"], seen["host"], seen["scheme"]) == ("127.0.0.1", "localhost", "http")


@pytest.mark.parametrize(("proxies", "added_by_ours"), [(0, ""), (1, ", 198.51.100.7")])
def test_a_forged_address_does_not_get_past_a_limit(make_app, proxies, added_by_ours):
    client = make_app(trusted_proxies=proxies).test_client()
    statuses = []
    for n in range(42):
        body = {"email": f"x{n}@example.com", "password": "a wrong password"}
        headers = {"X-Forwarded-For": f"10.9.8.{n}{added_by_ours}"}
        statuses.append(client.post("/login", json=body, headers=headers).status_code)
    assert statuses == [401] * 40 + [429] * 2


def test_a_forged_host_makes_no_other_site_ours(make_app, member):
    client = make_app(trusted_proxies=0).test_client()
    client.post("/login", json={"email": member.email, "password": member.password})
    headers = {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    answer = client.post("/audience", json={"name": "Forged"}, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "cross_site")


def test_figures_are_not_shown_to_a_caller_behind_a_proxy_that_says_it_is_local(make_app):
    client = make_app(trusted_proxies=0).test_client()
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    behind = make_app(trusted_proxies=1).test_client()
    assert behind.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}).status_code == 404


@pytest.fixture
def named(make_app):
    return make_app(
        allowed_hosts="parley.example, .teams.example", public_url="https://public.example:8443/",
        messaging_host="messages.example:9000",
    ).test_client()  # fmt: skip


@pytest.mark.parametrize(
    "host",
    [
        "parley.example", "PARLEY.example", "parley.example:8080", "a.teams.example", "teams.example", "public.example",
        "messages.example",
    ],
)  # fmt: skip
def test_a_call_for_a_name_of_ours_is_answered(named, host):
    assert named.get("/seen", headers={"Host": host}).status_code == 200


STRANGE = [
    "evil.example", "parley.example.evil.example", "evilparley.example", "xteams.example", "127.0.0.1", "",
    "parley.example@evil.example", "parley.example:evil", "parley.example/..", "parley.example evil", "[::1",
]  # fmt: skip


@pytest.mark.parametrize("host", STRANGE)
def test_a_call_for_another_name_is_refused(named, host):
    for path in ("/seen", "/login", "/nowhere", "/app"):
        answer = named.get(path, headers={"Host": host, "Accept": "text/html"})
        assert answer.status_code == 400
        assert "evil" not in answer.text + answer.headers.get("Location", "")


@pytest.mark.parametrize("path", DIALECTS)
def test_the_refusal_speaks_the_contract(named, path):
    answer = named.get(path, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "unknown_host" in answer.text.lower()
    assert answer.mimetype == "application/json"


def test_probes_may_call_by_any_name(named):
    assert named.get("/healthz", headers={"Host": "10.0.0.7:8080"}).status_code == 200
    assert named.get("/readyz", headers={"Host": "10.0.0.7:8080"}).status_code in (200, 503)
    assert "checks" in named.get("/readyz", headers={"Host": "10.0.0.7:8080"}).get_json()


def test_without_a_list_any_name_is_answered(make_app):
    client = make_app(allowed_hosts="", public_url="https://public.example").test_client()
    assert client.get("/seen", headers={"Host": "10.0.0.7:8080"}).status_code == 200


def test_behind_a_proxy_the_name_it_forwards_is_the_one_that_counts(make_app):
    client = make_app(trusted_proxies=1, allowed_hosts="parley.example").test_client()
    inner = {"Host": "10.0.0.7:8080"}
    assert client.get("/seen", headers=inner | {"X-Forwarded-Host": "parley.example"}).status_code == 200
    assert client.get("/seen", headers=inner | {"X-Forwarded-Host": "evil.example"}).status_code == 400
    assert client.get("/seen", headers=inner | {"X-Forwarded-Host": "parley.example, evil.example"}).status_code == 400


@pytest.mark.parametrize("path", ["/app", "/app/audiences", "/audience/", "/app/settings/you"])
def test_where_a_redirect_leads_never_names_a_host(anonymous, path):
    answer = anonymous.get(path, headers={"Host": "evil.example", "Accept": "text/html"})
    assert "evil" not in answer.headers.get("Location", "")
