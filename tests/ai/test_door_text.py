"""A text answer always comes, whatever a provider does, and the ledger tells how."""

from __future__ import annotations

import time

import pytest

from app.ai.queries import list_calls
from app.ai.services.completion import complete_text
from app.core.db import UnitOfWorkRequired, unit_of_work


def test_the_first_provider_of_the_order_answers(providers, ask, ledger):
    providers("anthropic", "openai")
    answer = complete_text(ask(), prompt_name="perplexity_prompt", prompt_version="3")
    assert (answer.provider, answer.fallbacks) == ("anthropic", ())
    row = list_calls()[0]
    assert ledger() == [("anthropic", "ok", "")]
    assert (row.id, row.task, row.prompt_name, row.prompt_version) == (
        answer.call_id,
        "research",
        "perplexity_prompt",
        "3",
    )
    assert row.input_tokens > 0
    assert row.output_tokens > 0
    assert row.cost_micros > 0
    assert row.model == answer.model


def test_without_any_key_the_built_in_analyst_answers_free(tenant, ask, ledger):
    answer = complete_text(ask())
    assert (answer.provider, answer.usage.cost_micros, answer.fallbacks) == ("builtin", 0, ())
    assert ledger() == [("builtin", "ok", "")]


def test_a_short_rate_limit_is_waited_for(providers, sandbox, ask, ledger):
    providers("anthropic")
    sandbox.control.fault("anthropic", "status_429", times=1, retry_after=1)
    began = time.monotonic()
    answer = complete_text(ask())
    assert answer.provider == "anthropic"
    assert time.monotonic() - began >= 1
    assert ledger() == [("anthropic", "failed", "rate_limit"), ("anthropic", "ok", "")]


def test_a_long_rate_limit_falls_back_at_once(providers, sandbox, ask, ledger):
    providers("anthropic", "openai")
    sandbox.control.fault("anthropic", "status_429", retry_after=60)
    answer = complete_text(ask())
    assert answer.provider == "openai"
    assert answer.fallbacks == ("Anthropic was over its limit.",)
    assert ledger() == [("anthropic", "fell_back", "rate_limit"), ("openai", "ok", "")]


def test_an_overloaded_provider_is_asked_again(providers, sandbox, ask, ledger):
    providers("anthropic")
    sandbox.control.fault("anthropic", "status_529", times=2)
    assert complete_text(ask()).provider == "anthropic"
    assert [outcome for _, outcome, _ in ledger()] == ["failed", "failed", "ok"]


def test_a_provider_that_stays_overloaded_is_left_for_the_built_in_analyst(providers, sandbox, ask, ledger):
    providers("anthropic")
    sandbox.control.fault("anthropic", "status_529")
    answer = complete_text(ask())
    assert answer.provider == "builtin"
    assert answer.fallbacks == ("Anthropic could not be reached.",)
    assert [outcome for _, outcome, _ in ledger()] == ["failed", "failed", "fell_back", "ok"]


@pytest.mark.parametrize(
    ("action", "failure"), [("status_401", "credentials"), ("insufficient_quota", "quota"), ("status_400", "invalid")]
)
def test_what_asking_again_cannot_mend_is_asked_once(providers, sandbox, ask, ledger, action, failure):
    providers("anthropic", "openai")
    sandbox.control.fault("anthropic", action)
    assert complete_text(ask()).provider == "openai"
    assert ledger() == [("anthropic", "fell_back", failure), ("openai", "ok", "")]


def test_a_provider_that_hangs_costs_one_time_out_not_three(providers, sandbox, ask, ledger):
    providers("anthropic", "openai")
    sandbox.control.fault("anthropic", "hang", seconds=6)
    began = time.monotonic()
    assert complete_text(ask(timeout_seconds=1)).provider == "openai"
    assert time.monotonic() - began < 4
    assert ledger()[0] == ("anthropic", "fell_back", "transient")


@pytest.mark.parametrize("action", ["reset", "html_502", "broken_body", "empty_choices"])
def test_a_garbled_answer_is_asked_for_again(providers, sandbox, ask, ledger, action):
    providers("anthropic")
    sandbox.control.fault("anthropic", action, times=1)
    assert complete_text(ask()).provider == "anthropic"
    assert [outcome for _, outcome, _ in ledger()] == ["failed", "ok"]


def test_a_model_that_declines_leads_to_the_next(providers, sandbox, ask, ledger):
    providers("anthropic", "openai")
    sandbox.control.fault("anthropic", "refusal")
    answer = complete_text(ask())
    assert (answer.provider, answer.fallbacks) == ("openai", ("Anthropic declined to answer.",))
    assert ledger()[0] == ("anthropic", "fell_back", "refused")


def test_an_answer_cut_by_the_token_limit_is_asked_for_with_twice_the_room_and_then_taken(
    providers, sandbox, ask, ledger
):
    providers("openai")
    sandbox.control.fault("openai", "cut_by_max_tokens")
    answer = complete_text(ask(max_tokens=500))
    assert answer.finish_reason == "length"
    assert ledger() == [("openai", "failed", "unparsable"), ("openai", "ok", "")]
    first, second = (call["body"] for call in sandbox.control.received("openai"))
    assert second["max_completion_tokens"] > first["max_completion_tokens"]


def test_a_provider_that_failed_again_and_again_rests(providers, sandbox, ask):
    providers("anthropic", "openai")
    sandbox.control.fault("anthropic", "status_529")
    complete_text(ask())
    asked = len(sandbox.control.received("anthropic"))
    answer = complete_text(ask())
    assert answer.provider == "openai"
    assert answer.fallbacks == ("Anthropic is resting for a moment: it could not be reached.",)
    assert len(sandbox.control.received("anthropic")) == asked


def test_a_rested_provider_is_tried_again_and_one_success_makes_it_healthy(providers, sandbox, ask):
    from app.core.redis import get_redis

    providers("anthropic", retries=0)
    sandbox.control.fault("anthropic", "status_529", times=3)
    for _ in range(3):
        complete_text(ask())
    assert complete_text(ask()).provider == "builtin"
    for key in get_redis().keys("ai:circuit:*:resting"):
        get_redis().delete(key)  # its rest is over
    assert complete_text(ask()).provider == "anthropic"
    assert get_redis().keys("ai:circuit:*") == []


def test_no_secret_reaches_the_ledger(providers, sandbox, ask):
    providers("openai")
    secret = "sk-live-openai-0123456789"
    sandbox.control.fault("openai", "status_400", message=f"bad key {secret} and Bearer abc.def.ghi")
    complete_text(ask())
    row = list_calls()[1]
    assert "[key]" in row.error
    assert secret not in row.error
    assert "abc.def" not in row.error


def test_asking_inside_a_unit_of_work_is_refused(providers, ask):
    providers("anthropic")
    with pytest.raises(UnitOfWorkRequired), unit_of_work():
        complete_text(ask())


def test_an_answer_needs_a_tenant(app_context, ask):
    from app.core.tenancy import TenantNotBound

    with pytest.raises(TenantNotBound):
        complete_text(ask())


def test_tenants_do_not_see_each_others_calls(providers, ask, other_member, in_tenant):
    providers("anthropic")
    complete_text(ask())
    with in_tenant(other_member.tenant_id):
        assert list_calls() == []
