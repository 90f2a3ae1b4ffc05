from dataclasses import replace

import pytest

from app.ai.providers.base import AIRequest, ChatMessage, Failure, ProviderError, Task
from app.ai.providers.perplexity import PerplexityProvider

ASKED = AIRequest(Task.RESEARCH, (ChatMessage("user", "Who buys organic carrots?"),))
DEEP = replace(ASKED, deep_research=True)


@pytest.fixture
def provider(sandbox):
    address = sandbox.base_url("perplexity")
    return PerplexityProvider(
        api_key="key", base_url=address, model="sonar-pro", poll_seconds=0.02, research_seconds=20
    )


@pytest.fixture
def at_once(sandbox, monkeypatch):
    """Virtual time runs on while the provider waits to ask again."""
    import app.ai.providers.perplexity as module

    monkeypatch.setattr(module.time, "sleep", lambda _seconds: sandbox.control.advance(1))


def sent(sandbox):
    return [(row["method"], row["path"].removeprefix("/perplexity")) for row in sandbox.control.received("perplexity")]


@pytest.mark.parametrize("way", ["whole", "stream"])
def test_sources_and_cost_come_with_the_answer(provider, way):
    answer = provider.complete(ASKED) if way == "whole" else list(provider.stream(ASKED))[-1]
    assert [citation.number for citation in answer.citations] == [1, 2, 3]
    assert answer.citations[0].url.startswith("https://example.com/")
    assert (answer.citations[0].publisher, answer.citations[0].year) == ("example.com", "2026")
    assert answer.usage.cost_micros > 5000


def test_deep_research_is_started_and_asked_after_until_it_is_done(provider, sandbox, at_once):
    answer = provider.complete(DEEP)
    assert answer.citations
    assert answer.usage.cost_micros > 0
    assert "<think>" not in answer.text
    calls = sent(sandbox)
    assert calls[0] == ("POST", "/async/chat/completions")
    assert len(calls) > 2
    assert {method for method, _path in calls[1:]} == {"GET"}
    assert sandbox.control.received("perplexity")[0]["body"]["request"]["model"] == "sonar-deep-research"


def test_deep_research_asked_for_as_a_stream_comes_in_one_piece(provider, at_once):
    delta, answer = provider.stream(DEEP)
    assert delta.text == answer.text


def test_a_poll_that_fails_does_not_lose_the_research(provider, sandbox, at_once):
    sandbox.control.fault("perplexity", "status_503", path="/async/chat/completions/*", times=1)
    sandbox.control.fault("perplexity", "reset", path="/async/chat/completions/*", times=1)
    assert provider.complete(DEEP).text
    assert [method for method, _path in sent(sandbox)].count("POST") == 1


def test_a_research_that_fails_is_worth_another_try(provider, sandbox, at_once):
    sandbox.control.fault("perplexity", "research_fails")
    with pytest.raises(ProviderError) as caught:
        provider.complete(DEEP)
    assert caught.value.failure is Failure.TRANSIENT
    assert "could not be finished" in caught.value.message


def test_a_research_that_never_ends_is_given_up(sandbox):
    sandbox.control.fault("perplexity", "research_slow")
    address = sandbox.base_url("perplexity")
    hasty = PerplexityProvider(
        api_key="key", base_url=address, model="sonar-pro", poll_seconds=0.02, research_seconds=0
    )
    with pytest.raises(ProviderError) as caught:
        hasty.complete(replace(DEEP, timeout_seconds=0.1))
    assert caught.value.failure is Failure.TRANSIENT


def test_a_key_refused_while_polling_ends_the_research(provider, sandbox, at_once):
    sandbox.control.fault("perplexity", "status_401", path="/async/chat/completions/*")
    with pytest.raises(ProviderError) as caught:
        provider.complete(DEEP)
    assert caught.value.failure is Failure.CREDENTIALS


def test_a_check_of_a_known_model_costs_nothing(provider, sandbox):
    provider.check()
    assert sent(sandbox) == [("GET", "/async/chat/completions")]
