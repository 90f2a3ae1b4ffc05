from dataclasses import replace

import pytest
from pydantic import BaseModel, Field

from app.ai.providers.base import AIRequest, ChatMessage, Failure, ProviderError, Task
from app.ai.providers.registry import build

ASKED = AIRequest(
    Task.CHAT, (ChatMessage("system", "Be short."), ChatMessage("user", "Why carrots?")), temperature=0.3, seed=7
)


class Insight(BaseModel):
    summary: str = Field(max_length=400)
    key_insights: list[str] = Field(min_length=3, max_length=6)


@pytest.fixture
def provider(sandbox):
    return build("anthropic", api_key="key", base_url=f"{sandbox.url}/anthropic")


def sent(sandbox):
    return sandbox.control.received("anthropic")[-1]


def test_the_system_text_the_key_and_the_version_go_where_the_platform_wants_them(provider, sandbox):
    provider.complete(ASKED)
    assert sent(sandbox)["headers"]["Authorization"] == "Bearer key"
    assert sent(sandbox)["headers"]["Anthropic-Version"]
    assert sent(sandbox)["body"]["system"] == "Be short."
    assert sent(sandbox)["body"]["messages"] == [{"role": "user", "content": "Why carrots?"}]


def test_nothing_is_sent_that_current_models_refuse(provider, sandbox):
    provider.complete(ASKED)
    assert not {"temperature", "top_p", "seed", "thinking"} & set(sent(sandbox)["body"])


def test_talk_takes_little_effort_and_analysis_more(provider, sandbox):
    provider.complete(ASKED)
    assert sent(sandbox)["body"]["output_config"] == {"effort": "low"}
    provider.complete(replace(ASKED, task=Task.SEGMENTS))
    assert sent(sandbox)["body"]["output_config"] == {"effort": "medium"}


def test_a_model_without_effort_is_not_asked_for_any(sandbox):
    older = build("anthropic", api_key="key", base_url=sandbox.base_url("anthropic"), model="claude-haiku-4-5")
    older.complete(ASKED)
    assert "output_config" not in sent(sandbox)["body"]
    assert sent(sandbox)["body"]["max_tokens"] == ASKED.max_tokens


def test_thinking_has_room_of_its_own_and_is_no_part_of_the_answer(provider, sandbox):
    request = replace(ASKED, task=Task.SEGMENTS)
    answer = provider.complete(request)
    assert sent(sandbox)["body"]["max_tokens"] > request.max_tokens
    assert answer.text == list(provider.stream(request))[-1].text
    assert "carrots" in answer.text


def test_limits_the_platform_cannot_enforce_are_told_in_words(provider, sandbox):
    answer = provider.complete(replace(ASKED, schema=Insight))
    schema = sent(sandbox)["body"]["output_config"]["format"]["schema"]
    assert "minItems" not in schema["properties"]["key_insights"]
    assert "3" in schema["properties"]["key_insights"]["description"]
    assert len(Insight.model_validate_json(answer.text).key_insights) >= 3


@pytest.mark.parametrize("suffix", ["/anthropic", "/anthropic/", "/anthropic/v1", "/anthropic/v1/"])
def test_the_address_may_be_given_with_or_without_the_version(sandbox, suffix):
    build("anthropic", api_key="key", base_url=sandbox.url + suffix).complete(ASKED)
    assert sent(sandbox)["path"] == "/anthropic/v1/messages"


def test_a_reached_spend_limit_is_not_a_rate_limit(provider, sandbox):
    sandbox.control.fault("anthropic", "insufficient_quota")
    with pytest.raises(ProviderError) as caught:
        provider.complete(ASKED)
    assert caught.value.failure is Failure.QUOTA


def test_low_credit_told_as_a_bad_request_is_a_matter_of_quota(provider, sandbox):
    sandbox.control.fault("anthropic", "status_400", message="Your credit balance is too low to access the API.")
    with pytest.raises(ProviderError) as caught:
        provider.complete(ASKED)
    assert caught.value.failure is Failure.QUOTA


def test_a_check_costs_no_tokens(provider, sandbox):
    provider.check()
    assert sent(sandbox)["path"] == "/anthropic/v1/models/claude-sonnet-5-5"
