"""A persona's words as text, as safe HTML, and the marks in them that point at facts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

# [3], [1, 2]; not the label of a link, not a year.
_MARK = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?![(:])")
_SPACED_MARK = re.compile(rf"[ \t]?{_MARK.pattern}")
_OPEN, _CLOSE = "\ue000", "\ue001"  # private-use characters carry the marks through Markdown and sanitising
_CARRIED = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_TAGS = {
    "p", "br", "em", "strong", "s", "code", "pre", "ul", "ol", "li", "blockquote", "a", "hr", "h4",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


def numbers_in(text: str) -> list[int]:
    """The numbers of all marks, in order, each once."""
    found = (int(n) for match in _MARK.finditer(text) for n in re.findall(r"\d+", match.group(1)))
    return list(dict.fromkeys(found))


def without_marks(text: str) -> str:
    """The words alone, as the contract's API shows them."""
    return _SPACED_MARK.sub("", text).strip()


def cited(text: str, facts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The facts the text points at, in the order it does."""
    by_number = {fact["n"]: dict(fact) for fact in facts}
    return [by_number[n] for n in numbers_in(text) if n in by_number]


def to_html(text: str, known: Iterable[int], link: Callable[[int], str]) -> Markup:
    """Markdown as sanitised HTML; marks of known facts become `link(n)`, other marks are dropped."""
    known = set(known)
    source = text.replace(_OPEN, "").replace(_CLOSE, "")
    carried = _SPACED_MARK.sub(lambda match: _carry(match.group(1), known), source)
    clean = nh3.clean(
        _parser().render(carried),
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return Markup(_CARRIED.sub(lambda match: link(int(match.group(1))), clean))  # noqa: S704 - sanitised above


def _carry(numbers: str, known: set[int]) -> str:
    return "".join(f"{_OPEN}{n}{_CLOSE}" for n in re.findall(r"\d+", numbers) if int(n) in known)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """Plain Markdown with tables, no HTML, no pictures; every heading a small one, since it stands in a message."""
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.disable(["image", "html_block", "html_inline"])
    for rule in ("heading_open", "heading_close"):
        parser.add_render_rule(rule, _small_heading)
    return parser


def _small_heading(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    return "<h4>" if tokens[index].nesting == 1 else "</h4>\n"
