"""The parts providers are made of: registry, prices, thoughts, schemas."""

import json
import subprocess
import sys
from itertools import pairwise
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from app.ai.providers import json_shape
from app.ai.providers.pricing import cost_micros
from app.ai.providers.registry import DEFAULT_MODELS, PROVIDER_NAMES, build
from app.ai.providers.thinking import ThinkingFilter, without_thinking
from app.sandbox.schema_rules import openai_strict_problem


class Evidence(BaseModel):
    kind: Literal["observed", "inferred"]
    basis: str = Field(default="", max_length=80)


class Persona(BaseModel):
    name: str = Field(min_length=1)
    evidence: dict[str, Evidence] = Field(default_factory=dict)
    scores: dict[Literal["price", "trust"], int] | None = None
    anything: dict[str, Any] = Field(default_factory=dict)


class Personas(BaseModel):
    personas: list[Persona] = Field(min_length=1)


@pytest.mark.parametrize("name", [name for name in PROVIDER_NAMES if name not in ("builtin", "local")])
def test_each_provider_has_a_default_address_and_model(name):
    made = build(name, api_key="key")
    assert (made.name, made.model) == (name, DEFAULT_MODELS[name])


def test_the_builtin_analyst_needs_nothing():
    assert build("builtin").name == "builtin"


@pytest.mark.parametrize(
    ("name", "more"),
    [("nobody", {}), ("openai", {}), ("local", {"base_url": "http://127.0.0.1:1/v1"}), ("local", {"model": "llama"})],
)
def test_what_cannot_be_made_is_refused(name, more):
    with pytest.raises(ValueError):
        build(name, **more)


def test_making_providers_loads_no_sdk():
    code = (
        "import sys; from app.ai.providers.registry import PROVIDER_NAMES, build\n"
        "for name in PROVIDER_NAMES: build(name, api_key='k', base_url='http://127.0.0.1:9/v1', model='m')\n"
        "print([m for m in ('anthropic', 'openai', 'httpx2') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_cost_is_tokens_times_list_price():
    assert cost_micros("anthropic", "claude-sonnet-5-5", input_tokens=1000, output_tokens=100) == 3000
    assert cost_micros("openai", "gpt-5.4-mini", input_tokens=1000, output_tokens=0, cached_tokens=1000) == 75
    assert cost_micros("anthropic", "claude-haiku-5-5", input_tokens=200_000, output_tokens=0) == 100_000


def test_an_unknown_price_is_never_guessed():
    assert cost_micros("openai", "gpt-99", input_tokens=1, output_tokens=1) is None
    assert cost_micros("groq", "gpt-5.4-mini", input_tokens=1, output_tokens=1) is None


@given(st.lists(st.integers(1, 60), max_size=8), st.sampled_from(["", " \n"]), st.text(min_size=1, max_size=40))
def test_a_thought_is_taken_off_wherever_the_stream_is_split(cuts, lead, answer):
    answer = "A" + answer
    whole = f"{lead}<think>one < two </thin\n</think>\n\n{answer}"
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    thoughts = ThinkingFilter()
    shown = "".join(thoughts.feed(whole[start:end]) for start, end in pairwise(edges))
    assert shown + thoughts.end() == answer == without_thinking(whole)


@pytest.mark.parametrize("text", ["", "<", "<th", "<b>bold</b>", "I <think> so", "plain"])
def test_an_answer_without_a_thought_is_left_as_it_is(text):
    thoughts = ThinkingFilter()
    assert "".join(thoughts.feed(letter) for letter in text) + thoughts.end() == text


def test_a_strict_schema_has_what_strict_mode_asks_for():
    schema = json_shape.strict_schema(Personas)
    assert openai_strict_problem(schema) is None
    persona = schema["$defs"]["Persona"]
    assert persona["required"] == ["name", "evidence", "scores", "anything"]
    assert "minLength: 1" in persona["properties"]["name"]["description"]
    assert persona["properties"]["evidence"]["type"] == "array"


def test_pairs_become_maps_again_where_the_model_has_maps():
    pairs = [{"key": "age", "value": {"kind": "inferred", "basis": "The brief."}}]
    sent = {"name": "Maya", "evidence": pairs, "scores": [{"key": "price", "value": 3}], "anything": []}
    read = json_shape.read_back(json.dumps({"personas": [sent]}), Personas)
    (persona,) = Personas.model_validate_json(read).personas
    assert persona.evidence["age"].basis == "The brief."
    assert persona.scores == {"price": 3}


def test_an_answer_that_already_has_maps_is_kept():
    sent = {"personas": [{"name": "Maya", "evidence": {"age": {"kind": "observed"}}, "anything": {"a": [1]}}]}
    assert json.loads(json_shape.read_back(json.dumps(sent), Personas)) == sent


@pytest.mark.parametrize("text", ["not JSON", "", '{"personas": [', "[1, 2]"])
def test_what_is_not_the_asked_json_comes_back_for_the_door_to_judge(text):
    assert json_shape.read_back(text, Personas) == text
