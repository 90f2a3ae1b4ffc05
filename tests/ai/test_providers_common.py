"""What the door may rely on with every provider, each asked over HTTP through its own SDK."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from pydantic import BaseModel, Field

from app.ai.providers.base import AIRequest, ChatMessage, Completion, Delta, Failure, ProviderError, Task
from app.ai.providers.registry import build

REMOTE = ("anthropic", "openai", "deepseek", "groq", "perplexity", "local")


class Evidence(BaseModel):
    kind: str
    basis: str = ""


class Slice(BaseModel):
    name: str = Field(min_length=1, max_length=80)
    size_percentage: int = Field(ge=0, le=100)
    evidence: dict[str, Evidence] = Field(default_factory=dict)
    note: str | None = None


class Slices(BaseModel):
    segments: list[Slice] = Field(min_length=3, max_length=5)


TALK = AIRequest(
    Task.CHAT,
    (
        ChatMessage("system", "You are Maya, who answers shortly."),
        ChatMessage("user", "Hello"),
        ChatMessage("assistant", "Hello!"),
        ChatMessage("user", "Why buy organic carrots?"),
    ),
    timeout_seconds=5,
)
MAKE = AIRequest(
    Task.SEGMENTS, (ChatMessage("user", "Business name: Green Fork\nMake segments."),), schema=Slices, timeout_seconds=5
)


@pytest.fixture(params=REMOTE)
def name(request):
    return request.param


@pytest.fixture
def provider(name, sandbox):
    model = "local-model" if name == "local" else ""
    return build(name, api_key="key", base_url=sandbox.base_url(name), model=model)


def failure_of(call):
    with pytest.raises(ProviderError) as caught:
        call()
    return caught.value


def streamed(provider, request):
    parts = list(provider.stream(request))
    assert all(isinstance(part, Delta) for part in parts[:-1])
    assert isinstance(parts[-1], Completion)
    return "".join(part.text for part in parts[:-1]), parts[-1]


def test_a_question_is_answered_whole(provider, name):
    answer = provider.complete(TALK)
    assert "carrots" in answer.text
    assert (answer.provider, answer.model, answer.finish_reason) == (name, provider.model, "stop")
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0
    assert answer.usage.cost_micros is not None


def test_a_stream_brings_the_same_answer_in_pieces_and_ends_with_it_whole(provider):
    text, answer = streamed(provider, TALK)
    assert text == answer.text == provider.complete(TALK).text
    assert answer.usage.output_tokens > 0


def test_an_answer_to_a_schema_fits_it_open_maps_included(provider):
    made = Slices.model_validate_json(provider.complete(MAKE).text)
    assert sum(segment.size_percentage for segment in made.segments) == 100
    assert any(segment.evidence for segment in made.segments)
    assert Slices.model_validate_json(streamed(provider, MAKE)[1].text)


def test_messages_out_of_turn_are_put_in_the_order_the_platform_wants(provider):
    said = (ChatMessage("assistant", "Ask me."), ChatMessage("user", "Why carrots?"), ChatMessage("user", "Tell me."))
    assert provider.complete(replace(TALK, messages=(*said, ChatMessage("assistant", "Well,")))).text


def test_a_healthy_provider_passes_its_check(provider):
    provider.check()


def test_a_check_refuses_a_model_the_service_does_not_know(name, sandbox):
    stranger = build(name, api_key="key", base_url=sandbox.base_url(name), model="no-such-model")
    assert failure_of(stranger.check).failure is Failure.INVALID


def test_a_wrong_key_is_a_matter_of_credentials(name, sandbox):
    stranger = build(name, api_key="an-invalid-key", base_url=sandbox.base_url(name), model="local-model")
    assert failure_of(stranger.check).failure is Failure.CREDENTIALS


@pytest.mark.parametrize(
    ("action", "failure"),
    [
        ("status_400", Failure.INVALID),
        ("status_401", Failure.CREDENTIALS),
        ("status_402", Failure.QUOTA),
        ("status_403", Failure.CREDENTIALS),
        ("status_413", Failure.INVALID),
        ("status_429", Failure.RATE_LIMIT),
        ("status_500", Failure.TRANSIENT),
        ("status_503", Failure.TRANSIENT),
        ("status_529", Failure.TRANSIENT),
        ("insufficient_quota", Failure.QUOTA),
        ("html_502", Failure.TRANSIENT),
        ("broken_body", Failure.TRANSIENT),
        ("reset", Failure.TRANSIENT),
        ("lost_answer", Failure.TRANSIENT),
        ("refusal", Failure.REFUSED),
    ],
)
def test_each_fault_has_its_failure_asked_whole(provider, name, sandbox, action, failure):
    sandbox.control.fault(name, action)
    error = failure_of(lambda: provider.complete(TALK))
    assert error.failure is failure
    assert error.provider == name
    assert error.message
    assert "<html" not in error.message
    assert len(sandbox.control.received(name)) == 1, "providers do not retry by themselves"


@pytest.mark.parametrize(
    ("action", "failure"),
    [
        ("status_429", Failure.RATE_LIMIT),
        ("status_529", Failure.TRANSIENT),
        ("insufficient_quota", Failure.QUOTA),
        ("reset", Failure.TRANSIENT),
        ("refusal", Failure.REFUSED),
        ("error_after_200", Failure.TRANSIENT),
        ("stream_cut", Failure.CUT),
    ],
)
def test_each_fault_has_its_failure_asked_as_a_stream(provider, name, sandbox, action, failure):
    sandbox.control.fault(name, action)
    assert failure_of(lambda: list(provider.stream(TALK))).failure is failure


def test_a_stream_that_ends_politely_but_unfinished_is_cut(provider, name, sandbox):
    sandbox.control.fault(name, "stream_cut", clean=True, after=4)
    parts = []
    error = failure_of(lambda: parts.extend(provider.stream(TALK)) or None)
    assert error.failure is Failure.CUT


def test_what_came_before_a_cut_has_been_passed_on(provider, name, sandbox):
    sandbox.control.fault(name, "stream_cut", after=4)
    stream = provider.stream(TALK)
    assert next(stream).text
    assert failure_of(lambda: list(stream)).failure is Failure.CUT


@pytest.mark.parametrize("seconds", [7, 0.25])
def test_a_rate_limit_says_how_long_to_wait(provider, name, sandbox, seconds):
    sandbox.control.fault(name, "status_429", retry_after=seconds)
    assert failure_of(lambda: provider.complete(TALK)).retry_after == seconds


def test_a_service_that_hangs_is_given_up_in_time(provider, name, sandbox):
    provider.check()  # so that loading the SDK is not measured
    sandbox.control.fault(name, "hang", seconds=3)
    begun = time.monotonic()
    error = failure_of(lambda: provider.complete(replace(TALK, timeout_seconds=0.4)))
    assert error.failure is Failure.TRANSIENT
    assert "0.4 seconds" in error.message
    assert time.monotonic() - begun < 2


def test_a_stream_that_stalls_is_given_up_in_time(provider, name, sandbox):
    sandbox.control.fault(name, "stall", seconds=3)
    begun = time.monotonic()
    error = failure_of(lambda: list(provider.stream(replace(TALK, timeout_seconds=0.4))))
    assert error.failure is Failure.TRANSIENT
    assert time.monotonic() - begun < 2


def test_signs_of_life_are_no_part_of_the_answer(provider, name, sandbox):
    plain = streamed(provider, TALK)
    sandbox.control.fault(name, "keep_alive_comments", count=4)
    assert streamed(provider, TALK) == plain
    assert provider.complete(TALK).text == plain[0]


def test_a_stream_of_nothing_but_signs_of_life_is_given_up_in_time(provider, name, sandbox):
    sandbox.control.fault(name, "keep_alive_comments", count=40, seconds=0.05)
    error = failure_of(lambda: list(provider.stream(replace(TALK, timeout_seconds=0.3))))
    assert error.failure is Failure.TRANSIENT


def test_an_empty_chunk_in_the_middle_of_a_stream_does_no_harm(provider, name, sandbox):
    plain = streamed(provider, TALK)[0]
    sandbox.control.fault(name, "empty_choices")
    assert streamed(provider, TALK)[0] == plain


def test_an_answer_with_nothing_in_it_is_worth_another_try(provider, name, sandbox):
    sandbox.control.fault(name, "empty_choices")
    assert failure_of(lambda: provider.complete(TALK)).failure is Failure.TRANSIENT


def test_an_answer_cut_by_the_token_limit_says_so(provider, name, sandbox):
    sandbox.control.fault(name, "cut_by_max_tokens")
    answer = provider.complete(MAKE)
    assert answer.finish_reason == "length"
    assert not answer.text.endswith("}")
    assert streamed(provider, TALK)[1].finish_reason == "length"


@pytest.mark.parametrize("action", ["broken_json", "wrong_schema"])
def test_json_that_does_not_fit_is_handed_on_for_the_door_to_judge(provider, name, sandbox, action):
    sandbox.control.fault(name, action)
    with pytest.raises(ValueError):
        Slices.model_validate_json(provider.complete(MAKE).text)


def test_json_in_a_code_fence_is_taken_out_of_it(provider, name, sandbox):
    sandbox.control.fault(name, "fenced_json")
    assert Slices.model_validate_json(provider.complete(MAKE).text)


def test_a_service_that_is_not_there_is_transient(name):
    nowhere = build(name, api_key="key", base_url="http://127.0.0.1:9", model="local-model")
    assert failure_of(lambda: nowhere.complete(TALK)).failure is Failure.TRANSIENT
    assert failure_of(nowhere.check).failure is Failure.TRANSIENT


def test_leaving_a_stream_early_closes_its_connection(provider, sandbox):
    stream = provider.stream(TALK)
    assert next(stream).text
    stream.close()
    assert list(stream) == []
