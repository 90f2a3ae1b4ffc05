"""Whose key is used, in which order, and where it may never go."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.ai.queries import credentials_by_provider
from app.ai.services import candidates, credentials, health, preferences
from app.ai.services.completion import complete_text
from app.ai.services.credentials import Access
from app.core.db import db, unit_of_work
from app.core.errors import NotFound, ValidationFailed


def save(**fields: object) -> None:
    access = Access(**fields)
    credentials.check_access(access)
    with unit_of_work():
        credentials.save(access)


def sources() -> dict[str, str]:
    return {candidate.name: str(candidate.source) for candidate in candidates.list_candidates()}


def test_without_keys_there_is_the_built_in_analyst_alone(tenant):
    assert sources() == {"builtin": "builtin"}


def test_a_tenants_key_comes_before_the_platforms(providers, ask, sandbox):
    providers("anthropic")
    save(provider="anthropic", api_key="sk-tenant-own-key-1")
    complete_text(ask())
    sent = sandbox.control.received("anthropic")[0]["headers"]
    assert "sk-tenant-own-key-1" in str(sent)
    assert "sk-live" not in str(sent)


def test_a_key_is_ciphertext_in_the_database(tenant):
    save(provider="openai", api_key="sk-secret-0123456789")
    stored = db.session.execute(text("SELECT api_key FROM ai_credentials")).scalar_one()
    assert "sk-secret" not in stored
    assert credentials_by_provider()["openai"].api_key == "sk-secret-0123456789"
    assert credentials_by_provider()["openai"].masked_key == "…6789"


def test_a_provider_that_is_off_is_not_asked_even_with_the_platforms_key(providers, ask):
    providers("anthropic")
    save(provider="anthropic", is_enabled=False)
    assert complete_text(ask()).provider == "builtin"


def test_the_platforms_key_never_goes_to_an_address_a_tenant_typed(providers, settings_override):
    providers("anthropic")
    settings_override(allow_private_urls=True)
    with pytest.raises(ValidationFailed):
        save(provider="anthropic", base_url="https://93.184.216.34/v1")
    assert "anthropic" not in credentials_by_provider()


def test_a_stored_key_is_not_sent_to_a_new_address_without_entering_it_again(tenant):
    save(provider="openai", api_key="sk-secret-0123456789")
    with pytest.raises(ValidationFailed) as refused:
        save(provider="openai", base_url="https://93.184.216.34/v1")
    assert refused.value.details["field"] == "api_key"
    save(provider="openai", api_key="sk-secret-0123456789", base_url="https://93.184.216.34/v1")
    save(provider="openai", base_url="https://93.184.216.34/v1", model="gpt-5.5")
    assert credentials_by_provider()["openai"].model == "gpt-5.5"


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/v1",
        "http://169.254.169.254/latest",
        "http://10.1.2.3",
        "http://[::1]/",
        "http://localhost:6379",
    ],
)
def test_an_address_in_a_private_network_is_refused(tenant, settings_override, address):
    settings_override(allow_private_urls=False)
    with pytest.raises(ValidationFailed) as refused:
        save(provider="openai", api_key="sk-secret-0123456789", base_url=address)
    assert refused.value.details["field"] == "base_url"


def test_an_address_is_looked_at_again_before_each_use(tenant, ask, ledger, settings_override, sandbox):
    settings_override(allow_private_urls=True)
    save(provider="openai", api_key="sk-secret-0123456789", base_url=sandbox.base_url("openai"))
    assert complete_text(ask()).provider == "openai"
    settings_override(allow_private_urls=False)
    assert complete_text(ask()).provider == "builtin"
    assert ledger()[1] == ("openai", "fell_back", "invalid")
    assert len(sandbox.control.received("openai")) == 1


def test_a_local_server_is_for_whoever_runs_the_product(tenant, settings_override, sandbox, ask):
    settings_override(allow_private_urls=False)
    with pytest.raises(ValidationFailed):
        save(provider="local", base_url="https://93.184.216.34/v1", model="local-model")
    settings_override(allow_private_urls=True)
    save(provider="local", base_url=sandbox.base_url("local"), model="local-model")
    assert complete_text(ask()).provider == "local"


@pytest.mark.parametrize("key", ["short", "with space 123", "x" * 501, "naïve-key-123"])
def test_what_cannot_be_a_key_is_refused(tenant, key):
    with pytest.raises(ValidationFailed) as refused:
        save(provider="openai", api_key=key)
    assert refused.value.details["field"] == "api_key"


def test_the_sandbox_answers_only_where_it_was_switched_on(tenant, settings_override, sandbox, ask):
    settings_override(sandbox_url=sandbox.url)
    assert complete_text(ask()).provider == "builtin"
    save(provider="anthropic", uses_sandbox=True)
    assert sources() == {"anthropic": "sandbox", "builtin": "builtin"}
    assert complete_text(ask()).provider == "anthropic"
    save(provider="anthropic", uses_sandbox=True, api_key="sk-tenant-own-key-1")
    assert sources()["anthropic"] == "tenant"


@pytest.mark.parametrize("name", ["anthropic", "openai", "deepseek", "groq", "perplexity", "local"])
def test_every_provider_can_be_tried_in_the_sandbox(tenant, settings_override, sandbox, name):
    settings_override(sandbox_url=sandbox.url)
    save(provider=name, uses_sandbox=True)
    assert health.check_provider(name).state == "ok"


def test_a_tenants_order_decides(providers, ask):
    providers("anthropic", "openai")
    with unit_of_work():
        preferences.move("research", "openai", -1)
    assert complete_text(ask()).provider == "openai"
    with unit_of_work():
        preferences.reset_order("research")
    assert complete_text(ask()).provider == "anthropic"


def test_the_built_in_analyst_can_be_put_first(providers, ask, sandbox):
    providers("anthropic")
    with unit_of_work():
        preferences.set_order("research", ["builtin", "anthropic"])
    assert complete_text(ask()).provider == "builtin"
    assert sandbox.control.received("anthropic") == []


def test_an_order_without_the_built_in_analyst_still_ends_with_it(tenant):
    with unit_of_work():
        preferences.set_order("chat", ["anthropic"])
    assert preferences.order_for("chat") == ("anthropic", "builtin")


@pytest.mark.parametrize("order", [["anthropic", "anthropic"], ["nobody"]])
def test_an_order_names_known_providers_once(tenant, order):
    with pytest.raises(ValidationFailed), unit_of_work():
        preferences.set_order("chat", order)


def test_a_test_of_the_connection_is_kept(tenant, settings_override, sandbox):
    settings_override(allow_private_urls=True)
    save(provider="anthropic", api_key="sk-invalid-key-123456", base_url=sandbox.base_url("anthropic"))
    result = health.check_provider("anthropic")
    row = credentials_by_provider()["anthropic"]
    assert (result.state, row.check_state) == ("failed", "failed")
    assert "sk-invalid" not in row.check_error
    save(provider="anthropic", api_key="sk-good-key-123456", base_url=sandbox.base_url("anthropic"))
    assert credentials_by_provider()["anthropic"].check_state == "unchecked"
    assert health.check_provider("anthropic").state == "ok"


def test_the_half_hourly_check_asks_platform_keys_and_access_used_lately(
    app, providers, sandbox, ask, settings_override
):
    from app.core.schedule import table
    from app.core.tenancy import platform_scope

    providers("openai")
    settings_override(allow_private_urls=True)
    save(provider="anthropic", api_key="sk-good-key-123456", base_url=sandbox.base_url("anthropic"))
    save(provider="groq", api_key="sk-good-key-123456", base_url=sandbox.base_url("groq"))
    settings_override(ai_research_order="anthropic,builtin")
    complete_text(ask())
    sandbox.control.reset()
    assert table["ai.check_clients"].every_seconds == 1800
    with platform_scope():
        table["ai.check_clients"].function()
    rows = credentials_by_provider()
    assert (rows["anthropic"].check_state, rows["groq"].check_state) == ("ok", "unchecked")
    assert sandbox.control.received("openai")
    assert health.last_check(candidates.platform_candidate("openai"), None).state == "ok"


def test_removing_a_key_that_is_not_there_is_not_found(tenant):
    with pytest.raises(NotFound), unit_of_work():
        credentials.remove_key("openai")
