"""The watch over answers notices each way in which one can differ from its description."""

from __future__ import annotations

import pytest
from flask import Flask, Response, jsonify
from pydantic import BaseModel

from app.core.describe import describe
from tests.support.described import DescriptionWatch


class Tree(BaseModel):
    height: int
    kind: str | None


def answers_of(answer, **described):
    """What the watch says of a route that answers `answer`."""
    app = Flask("trees")
    watch = DescriptionWatch(app)
    app.get("/audience/trees")(describe("Trees", "Trees", **described)(lambda: answer()))
    app.test_client().get("/audience/trees")
    return watch.take()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: jsonify(height=3, kind=None), None),
        (lambda: jsonify(height=3), "kind: Field required"),
        (lambda: jsonify(height="3", kind=None), "height: Input should be a valid integer"),
        (lambda: jsonify(height=3, kind=None, age=4), "age: Extra inputs are not permitted"),
        (lambda: Response("timber"), "Invalid JSON"),
        (lambda: (jsonify(height=3, kind=None), 202), "not described"),
        (lambda: (jsonify(error="No trees here.", code="not_found"), 404), "not described"),
        (lambda: (jsonify(error="Sign in first.", code="unauthenticated"), 401), None),
        (lambda: (jsonify(message="Sign in first."), 401), "error: Field required"),
    ],
)
def test_an_answer_is_held_against_the_description_of_its_status(app, answer, words):
    found = answers_of(answer, answers={200: Tree})
    assert (found == []) if words is None else words in found[0]


def test_a_file_has_the_media_type_that_was_described(app):
    assert answers_of(lambda: Response("a,b", mimetype="text/csv"), answers={200: str}, media="text/csv") == []
    found = answers_of(lambda: jsonify([]), answers={200: str}, media="text/csv")
    assert "is application/json" in found[0]


def test_an_answer_without_a_body_has_none(app):
    assert answers_of(lambda: ("", 204), answers={204: None}) == []
    assert "has a body" in answers_of(lambda: ("x", 200), answers={200: None})[0]
