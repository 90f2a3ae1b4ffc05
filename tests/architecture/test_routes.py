"""Sweeps over every route: who may enter, whose rows, who may write."""

from __future__ import annotations

import re

import pytest

from app.accounts.guards import PUBLIC_ENDPOINTS

PUBLIC = {
    "static", "health.healthz", "health.readyz", "health.metrics", "home.face",
    "docs.index", "docs.show", "docs.document",
    "auth_api.sign_up", "auth_api.sign_in", "auth_api.sign_out", "admins_api.set_up_admin",
    "auth_pages.show_login", "auth_pages.show_signup", "auth_pages.submit_login", "auth_pages.submit_signup",
    "auth_pages.log_out", "passwords_api.forgot", "passwords_api.reset", "password_pages.show_forgot",
    "password_pages.ask_for_link", "password_pages.show_reset", "password_pages.submit_reset",
    "password_pages.strength",
    "second_step_pages.show", "second_step_pages.submit", "second_step_pages.passkey_options",
    "tokens_api.sign_in", "tokens_api.register", "tokens_api.refresh",
    "invitation_pages.show", "invitation_pages.join_as_new", "invitation_pages.accept", "invitation_pages.sign_out",
    "second_step_pages.submit_passkey", "passkey_sign_in_pages.options", "passkey_sign_in_pages.submit",
    "provider_callbacks_api.status", "provider_callbacks_api.inbound_message", "provider_callbacks_api.whatsapp",
    "link_pages.follow",
}  # fmt: skip
FOR_EVERYONE_SIGNED_IN = {"sse.stream"}
OF_THE_PLATFORM = {"tenants.manage"}
READS_BY_POST = {
    "cdp_segments_api.preview_saved",
    "cdp_segments_api.preview_unsaved",
    "messaging_segments_api.evaluate",
    "messaging_templates_api.preview",
    "template_pages.template_check.check",
}  # a condition is too long for a URL
WRITES = {"POST", "PUT", "PATCH", "DELETE"}
NO_SUCH_ID = 2_000_000_000


@pytest.fixture
def rules(app, settings_override):
    settings_override(rate_limit_factor=1000)  # a sweep calls faster than any limit allows
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def test_each_route_is_guarded_or_on_the_public_list(app, rules):
    for rule in rules:
        view = app.view_functions[rule.endpoint]
        if rule.endpoint in PUBLIC:
            assert getattr(view, "is_public", False) or rule.endpoint in PUBLIC_ENDPOINTS, rule.endpoint
            continue
        assert not getattr(view, "is_public", False), f"{rule.endpoint} is public but not on the list"
        named = getattr(view, "permission", "") or getattr(view, "is_for_everyone", False)
        assert named or rule.endpoint in FOR_EVERYONE_SIGNED_IN, f"{rule.endpoint} names no permission"


def fill(rule) -> str:
    """The rule's address with ids that no row has."""
    address = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", rule.rule)
    return re.sub(r"<(?:(\w+):)?(\w+)>", lambda m: str(NO_SUCH_ID) if m[1] == "int" else "x", address)


def test_nobody_gets_past_a_guarded_route_without_signing_in(anonymous, rules):
    for rule in rules:
        if rule.endpoint in PUBLIC:
            continue
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            answer = anonymous.open(fill(rule), method=method)
            asked_to_sign_in = answer.status_code in (302, 303) and answer.location.startswith("/login")
            assert asked_to_sign_in or answer.status_code in (401, 403, 415), f"{method} {rule.rule}: {answer.status}"


def test_each_write_refuses_a_viewer(client_for, make_member, member, rules):
    viewer = client_for(make_member("viewer", member.tenant_id))
    page = viewer.get("/app/settings/you").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    own_account = re.compile(
        r"^/(app/settings/you|app/settings/security|app/switch|api/v1/(mfa|auth)|login|logout|signup|setup-admin)"
    )
    for rule in rules:
        if rule.endpoint in PUBLIC | READS_BY_POST or own_account.match(rule.rule):
            continue
        for method in rule.methods & WRITES:
            answer = viewer.open(fill(rule), method=method, headers={"X-CSRFToken": token}, json={})
            assert answer.status_code == 403, f"{method} {rule.rule}: {answer.status}"


def test_each_route_with_an_id_of_nobodys_is_not_found(app, client, rules):
    for rule in rules:
        if "<int:" not in rule.rule or "GET" not in rule.methods or rule.endpoint in PUBLIC:
            continue
        answer = client.get(fill(rule), headers={"Accept": "text/html"})
        if getattr(app.view_functions[rule.endpoint], "permission", "") in OF_THE_PLATFORM:
            assert answer.status_code == 403, f"{rule.rule}: {answer.status}"
            continue
        leads_away = answer.status_code == 303 and rule.rule.endswith("/live")  # a page that polls what was deleted
        assert answer.status_code == 404 or leads_away, f"{rule.rule}: {answer.status}"
