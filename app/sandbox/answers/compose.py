"""Decides what a language-model service answers: scripted, made to a schema, or prose, and what goes wrong with it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from flask import request

from app.sandbox import frame
from app.sandbox.answers import from_schema, prose, subject, tokens

ACTIONS = {
    "stream_cut": "break the stream after `after` (3) pieces; with `clean`, end it politely but unfinished",
    "stall": "stop for `seconds` (30) after `after` (3) pieces of a stream",
    "error_after_200": "an error event in the stream after `after` (3) pieces",
    "keep_alive_comments": "comments (Anthropic: pings) among the pieces, `count` (3) at a time, `seconds` apart",
    "empty_choices": "a chunk, or an answer, without content",
    "cut_by_max_tokens": "an answer that ends in the middle because of the token limit",
    "broken_json": "an answer that is not quite JSON",
    "wrong_schema": "JSON of another shape than was asked for",
    "refusal": "the model declines",
    "fenced_json": "JSON inside a Markdown code fence, after a sentence",
}
_MATERIAL = re.compile(r"<(\w+)>.*?</\1>", re.S)
REFUSAL = "I can't help with that request."


@dataclass(frozen=True)
class Question:
    """What a model is asked, whichever platform's words it came in."""

    service: str
    model: str
    system: str
    turns: tuple[tuple[str, str], ...]
    max_tokens: int | None = None
    schema: dict[str, Any] | None = None
    any_json: bool = False
    cited: int = 0

    @property
    def last(self) -> str:
        """What the user said last, without material set between tags."""
        said = next((text for role, text in reversed(self.turns) if role == "user"), "")
        return _MATERIAL.sub("", said).strip() or said

    @property
    def whole(self) -> str:
        """Everything the model reads."""
        return "\n".join([self.system, *(text for _role, text in self.turns)])

    @property
    def input_tokens(self) -> int:
        """About how much that is."""
        return tokens.count(self.whole)


@dataclass(frozen=True)
class Reply:
    """What it answers; `finish` is stop, length or refusal."""

    text: str
    finish: str = "stop"

    @property
    def output_tokens(self) -> int:
        """About how long that is."""
        return tokens.count(self.text)


def compose(question: Question) -> Reply:
    """The answer to a question, faults included; cut where it is longer than was allowed."""
    if frame.fault_is("refusal"):
        return Reply(REFUSAL, "refusal")
    text = _spoilt(_text(question))
    if frame.fault_is("cut_by_max_tokens"):
        return Reply(text[: max(1, len(text) * 3 // 5)], "length")
    if question.max_tokens is not None and tokens.count(text) > question.max_tokens:
        return Reply(tokens.cut(text, question.max_tokens), "length")
    return Reply(text)


def _text(question: Question) -> str:
    scripted = frame.sandbox().take_script(question.service, request.get_data(as_text=True))
    if scripted is not None:
        return scripted
    in_words = question.any_json or "json schema" in question.whole.lower()
    schema = question.schema or (_schema_in_words(question.whole) if in_words else None)
    seed = frame.sandbox().seed
    if schema is not None:
        about = subject.of_brief(question.whole) or subject.of(question.last)
        return json.dumps(from_schema.make(schema, question=question.whole, subject=about, seed=seed))
    text = prose.reply(question.last, material=question.whole, cited=question.cited, seed=seed)
    return json.dumps({"answer": text}) if question.any_json else text


def _spoilt(text: str) -> str:
    if frame.fault_is("broken_json"):
        return text.rstrip().rstrip("}]") + ', "and then'
    if frame.fault_is("wrong_schema"):
        return json.dumps({"unexpected": "This is not the shape that was asked for."})
    if frame.fault_is("fenced_json"):
        return f"Here is the JSON you asked for:\n\n```json\n{text}\n```"
    return text


def _schema_in_words(prompt: str) -> dict[str, Any] | None:
    """The JSON schema a prompt spells out, as is usual where a platform takes none; the last one counts."""
    decoder = json.JSONDecoder()
    found = None
    start = prompt.find("{")
    while start >= 0:
        try:
            data, end = decoder.raw_decode(prompt, start)
        except ValueError:
            start = prompt.find("{", start + 1)
            continue
        if isinstance(data, dict) and data.get("properties"):
            found = data
        start = prompt.find("{", end)
    return found
