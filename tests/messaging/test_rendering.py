"""The grammar of texts: what is a variable, what a value becomes, and that nothing in either is ever evaluated."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ValidationFailed
from app.messaging.services.plain_values import MOST_VALUE, PersonRow, plain, values_of
from app.messaging.services.rendering import MissingVariable, compile_text, escape

TEXTS = st.text(max_size=80)
WORDS = st.text(alphabet=st.characters(exclude_characters="{}"), max_size=40)
NAMES = st.sampled_from(["name", "city", "order_id", "Größe", "first name", "a.b"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
PIECES = st.one_of(
    WORDS.map(lambda words: ("words", words, None)),
    st.tuples(st.just("slot"), NAMES, st.none() | WORDS.filter(lambda words: "|" not in words)),
)


def written(piece):
    kind, text, fallback = piece
    if kind == "words":
        return text
    return f"{{{text}}}" if fallback is None else f"{{{text}|{fallback}}}"


def render(content, **values):
    return compile_text(content).render(values)


def person(traits, name="", phone=""):
    return values_of(PersonRow(traits, name, phone), "Orchard & Oat")


@given(TEXTS)
def test_a_text_whose_braces_are_doubled_renders_as_itself(text):
    compiled = compile_text(escape(text))
    assert compiled.render({}) == text
    assert compiled.names == []


@given(st.lists(PIECES, max_size=12), st.dictionaries(NAMES, JSON, max_size=6))
def test_words_stay_and_slots_hold_the_plain_value_or_the_fallback(pieces, values):
    compiled = compile_text("".join(written(piece) for piece in pieces))
    expected, missing = "", []
    for kind, text, fallback in pieces:
        value = text if kind == "words" else plain(values.get(text)) or fallback
        expected += value or ""
        missing += [text] if value is None else []
    assert compiled.missing(values) == list(dict.fromkeys(missing))
    if missing:
        with pytest.raises(MissingVariable) as lacking:
            compiled.render(values)
        assert lacking.value.name == missing[0]
    else:
        assert compiled.render(values) == expected


def refusal(content):
    """What is said of a text that cannot be read; None of one that can."""
    try:
        compile_text(content)
    except ValidationFailed as refused:
        return refused.details
    return None


@given(st.text(max_size=300))
def test_any_text_at_all_is_either_read_or_refused_with_its_field(text):
    said = refusal(text)
    assert said is None or (said["field"] == "content" and said["expected"])


@given(JSON)
def test_a_value_is_one_line_without_control_characters_and_of_bounded_length(value):
    text = plain(value)
    assert len(text) <= MOST_VALUE
    assert text == text.strip()
    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in text)
    assert not any(one in text for one in "\u2028\u2029\u202e\ud800")


@pytest.mark.parametrize("hostile", ["{name}", "{{7*7}}", "{% x %}", "%s %d %(a)s", "${x}", "\\1", "{0.__class__}"])
def test_a_value_that_looks_like_code_is_only_words(hostile):
    assert render("Hi {name}!", name=hostile) == f"Hi {hostile}!"
    assert render("100% {a|%s}", a="") == "100% %s"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("  Ann\r\n Lee ", "Ann Lee"),
        ("A\u202enn\x07", "Ann"),
        (49.9, "49.9"),
        (49.0, "49"),
        (0.1 + 0.2, "0.3"),
        (-0.0, "0"),
        (1200, "1200"),
        (True, "yes"),
        (False, "no"),
        ("2026-12-03", "3 Dec 2026"),
        ("2026-12-03T23:30:00+01:00", "3 Dec 2026"),
        ("2026-02-31", "2026-02-31"),
        ("2026-12", "2026-12"),
        (date(2026, 1, 9), "9 Jan 2026"),
        (datetime(2026, 1, 9, 12, tzinfo=UTC), "9 Jan 2026"),
        (["red", "blue", None, 3], "red, blue, 3"),
        ("👩‍👧 Zoë", "👩‍👧 Zoë"),
        (None, ""),
        ("", ""),
        ({"a": 1}, ""),
        (float("nan"), ""),
        (10**40, ""),
    ],
)
def test_values_are_written_plainly(value, shown):
    assert plain(value) == shown


@pytest.mark.parametrize(
    "content", ["{", "}", "a {b", "a} b", "{}", "{|x}", "{1}", "{a{b}}", "{a}}", "{" + "x" * 101 + "}"]
)
def test_what_is_no_variable_is_refused(content):
    with pytest.raises(ValidationFailed) as refused:
        compile_text(content)
    assert refused.value.details["field"] == "content"


def test_a_lone_brace_is_found_and_its_remedy_named():
    with pytest.raises(ValidationFailed, match="character 4 is opened and not closed"):
        compile_text("Hi {name")


def test_a_text_has_at_most_fifty_variables():
    compile_text("".join(f"{{v{n}}}" for n in range(50)))
    with pytest.raises(ValidationFailed, match="at most 50"):
        compile_text("".join(f"{{v{n}}}" for n in range(51)))


def test_a_variable_has_a_fallback_only_where_all_its_uses_have_one():
    assert compile_text("{a|x} {b|y} {a} {b|z}").variables == [
        {"name": "a", "fallback": None}, {"name": "b", "fallback": "y"},
    ]  # fmt: skip
    assert render("{b|y} {b|z}") == "y z"
    assert render("[{a|}]") == "[]"


def test_built_in_names_come_from_the_profile_and_the_workspace():
    ann = person({"city": "Leeds", "company": "Acme", "address": {"city": "York"}}, "Ann Mary Lee", "+14155550123")
    text = "{first_name} {name} {phone} {company} {traits.company} {city} {address.city}"
    assert compile_text(text).render(ann) == "Ann Ann Mary Lee +14155550123 Orchard & Oat Acme Leeds York"


def test_a_trait_outweighs_the_profile_and_a_trait_that_is_null_does_not():
    assert compile_text("{first_name}").render(person({"first_name": "Annie"}, "Ann Lee")) == "Annie"
    assert compile_text("{name}").render(person({"name": None}, "Ann Lee")) == "Ann Lee"
    assert compile_text("{first_name}").render(person({"firstName": "Annie"}, "Ann Lee")) == "Annie"
    assert compile_text("{first_name}").missing(person({})) == ["first_name"]


def test_computed_figures_stand_where_no_trait_does():
    values = values_of(PersonRow({"tier": "gold"}), "x", {"total_purchases": 129.5, "tier": "silver"})
    assert compile_text("{total_purchases} {tier}").render(values) == "129.5 gold"
