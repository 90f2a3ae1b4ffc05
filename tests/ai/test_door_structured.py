"""Answers with a shape: taken out of what stands around them, repaired once, else asked of the next provider."""

from __future__ import annotations

import json

import pytest

from app.ai.queries import list_calls
from app.ai.services.structured import complete_structured

GOOD = {"segments": [{"name": "Parents", "size_percentage": 60}, {"name": "Singles", "size_percentage": 40}]}
BAD = {"segments": [{"name": "Parents", "size_percentage": "many"}]}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),
        f"```json\n{json.dumps(GOOD, indent=2)}\n```",
        f"Here you are, {{as asked}}:\n\n{json.dumps(GOOD)}\n\nAnything else?",
        f"<think>Perhaps {{}}?</think>{json.dumps(GOOD)}",
    ],
    ids=["bare", "fenced", "with_words_around", "after_thoughts"],
)
def test_json_is_found_in_what_stands_around_it(providers, sandbox, ask_slices, text):
    providers("openai")
    sandbox.control.script("openai", text)
    result = complete_structured(ask_slices)
    assert result.value.model_dump() == GOOD
    assert result.repaired is False


def test_an_answer_of_another_shape_is_repaired_by_who_gave_it(providers, sandbox, ask_slices, ledger):
    providers("openai", "anthropic")
    sandbox.control.script("openai", BAD, GOOD)
    result = complete_structured(ask_slices)
    assert (result.repaired, result.answer.provider) == (True, "openai")
    assert ledger() == [("openai", "failed", "unparsable"), ("openai", "repaired", "")]
    asked = json.dumps(sandbox.control.received("openai")[1]["body"]["messages"])
    assert "segments.0.size_percentage" in asked
    assert "many" in asked


def test_what_a_wasted_answer_cost_is_kept(providers, sandbox, ask_slices):
    providers("openai")
    sandbox.control.script("openai", BAD, GOOD)
    complete_structured(ask_slices)
    assert all(row.cost_micros > 0 for row in list_calls())


def test_a_second_misfit_goes_to_the_next_provider(providers, sandbox, ask_slices, ledger):
    providers("openai", "anthropic")
    sandbox.control.script("openai", BAD, BAD)
    sandbox.control.script("anthropic", GOOD)
    result = complete_structured(ask_slices)
    assert result.answer.provider == "anthropic"
    assert result.answer.fallbacks == ("OpenAI gave an answer that did not fit.",)
    assert [row[1] for row in ledger()] == ["failed", "fell_back", "ok"]


@pytest.mark.parametrize(
    "action", ["broken_json", "wrong_schema", "fenced_json", "refusal", "status_529", "stream_cut"]
)
def test_an_audience_is_never_lost(providers, sandbox, ask_slices, action):
    providers("anthropic", "openai", retries=1)
    sandbox.control.fault("*", action)
    result = complete_structured(ask_slices)
    assert sum(segment.size_percentage for segment in result.value.segments) > 0


def test_half_a_json_text_is_asked_for_with_twice_the_room(providers, sandbox, ask_slices, ledger):
    providers("openai")
    sandbox.control.fault("openai", "cut_by_max_tokens", times=1)
    result = complete_structured(ask_slices)
    assert result.answer.provider == "openai"
    assert ledger() == [("openai", "failed", "unparsable"), ("openai", "ok", "")]
    first, second = (call["body"]["max_completion_tokens"] for call in sandbox.control.received("openai"))
    assert second > first


def test_an_answer_cut_twice_goes_to_the_next_provider(providers, sandbox, ask_slices, ledger):
    providers("openai", "anthropic")
    sandbox.control.fault("openai", "cut_by_max_tokens")
    assert complete_structured(ask_slices).answer.provider == "anthropic"
    assert [row[1] for row in ledger()] == ["failed", "fell_back", "ok"]


def test_a_request_without_a_schema_is_a_fault_of_ours(providers, ask):
    providers("openai")
    with pytest.raises(TypeError):
        complete_structured(ask())
