from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from app.sandbox.answers import from_schema, prose, subject, tokens

BRIEF = 'Business name: Green Fork\n{"name": "Green Fork"}\nMake exactly 4 personas. Taken: Maya Okafor.'


class Evidence(BaseModel):
    kind: Literal["observed", "inferred", "invented"]
    basis: str
    url: str = ""


class Someone(BaseModel):
    name: str
    age: int = Field(ge=18, le=90)
    gender: str
    income: str = Field(max_length=12)
    stage: str = Field(pattern="^(new|regular|lost)$")
    born_on: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")
    interests: list[str] = Field(min_length=2, max_length=5)
    evidence: dict[str, Evidence]
    nickname: str | None = None


class Slice(BaseModel):
    name: str
    size_percentage: int = Field(ge=0, le=100)


class Everything(BaseModel):
    personas: list[Someone] = Field(min_length=1, max_length=6)
    segments: list[Slice] = Field(min_length=3, max_length=5)
    stance: int = Field(ge=1, le=5)
    score: float = Field(ge=0, le=1)
    sure: bool


def made(seed=0, question=BRIEF):
    data = from_schema.make(Everything.model_json_schema(), question=question, subject="Green Fork", seed=seed)
    return Everything.model_validate(data)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_data_made_for_a_schema_is_valid_for_it(seed):
    answer = made(seed)
    assert sum(segment.size_percentage for segment in answer.segments) == 100
    assert len({segment.name for segment in answer.segments}) == len(answer.segments)


def test_as_many_are_made_as_the_question_asks_for_and_none_twice():
    people = [person.name for person in made().personas]
    assert len(people) == len(set(people)) == 4
    assert "Maya Okafor" not in people


def test_the_same_question_gives_the_same_data_and_another_question_other_data():
    assert made() == made()
    assert made(question=BRIEF + " Again.") != made()


def test_limits_told_in_words_are_kept_too():
    schema = {"type": "array", "items": {"type": "string"}, "description": "Insights\n\n{minItems: 5, maxItems: 5}"}
    assert len(from_schema.make(schema, question="", subject="x")) == 5
    choice = {"type": "string", "description": "{pattern: ^(left|right)$}"}
    assert from_schema.make(choice, question="", subject="x") in ("left", "right")


def test_a_list_does_not_say_the_same_thing_twice():
    schema = {"type": "object", "properties": {"goals": {"type": "array", "minItems": 4, "maxItems": 4}}}
    goals = from_schema.make(schema, question="", subject="x")["goals"]
    assert len(set(goals)) == 4


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_the_pieces_of_a_text_are_the_text(text):
    assert "".join(tokens.pieces(text)) == text


@pytest.mark.parametrize(
    ("question", "about"),
    [
        ("Why do people buy organic carrots?", "organic carrots"),
        ('Brief: {"business_name": "Nimbus Pay", "industry": "software"}', "Nimbus Pay"),
        ("Name: Harbor Gym\nIndustry: fitness", "Harbor Gym"),
        ("", "this question"),
    ],
)
def test_the_subject_of_a_question_is_found(question, about):
    assert subject.of(question) == about


def test_prose_speaks_of_its_subject_and_bears_the_marks_of_its_sources():
    text = prose.reply("Business name: Harbor Gym\n" + "Tell me more. " * 60, cited=3)
    assert "Harbor Gym" in text
    assert all(f"[{number}]" in text for number in (1, 2, 3))
    assert "[4]" not in text
