"""Finds what a question is about, so that a made-up answer can speak of it."""

from __future__ import annotations

import re

_NAMED = (
    re.compile(r'"(?:business_name|name|company|brand)"\s*:\s*"([^"\n]{2,60})"', re.I),
    re.compile(r"^[\W_]*(?:business name|company|brand|business|name)\s*[:=]\s*\"?([^\"\n,{}<]{2,60})", re.I | re.M),
)
_WORD = re.compile(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'’-]{2,}")
_COMMON = frozenset(
    "about above after again against also and any are because been before being below between both but can could did "
    "does doing down during each few for from further give had has have having her here hers him his how into its "
    "itself just like make many may more most much must name not now off once only other our out over own please "
    "same she should some such tell than that the their them then there these they this those through too under "
    "until use very want was were what when where which while who whom why will with would write you your yours "
    "answer question describe explain say think know get let buy buys choose use uses like want need prefer pay people "
    "someone anyone".split()
)


def of_brief(text: str) -> str:
    """The business a prompt names, or ""."""
    for pattern in _NAMED:
        found = pattern.search(text)
        if found:
            return found.group(1).strip(" .*_")
    return ""


def keywords(text: str, most: int = 4) -> list[str]:
    """The words of a text that carry its matter, in their order."""
    seen: list[str] = []
    for word in _WORD.findall(text):
        if word.lower() not in _COMMON and word.lower() not in (known.lower() for known in seen):
            seen.append(word)
    return seen[:most]


def of(text: str) -> str:
    """What a question is about: the business it names, else its weightiest words."""
    named = of_brief(text)
    if named:
        return named
    last = text.strip().splitlines()[-1] if text.strip() else ""
    return " ".join(keywords(last)) or " ".join(keywords(text)) or "this question"
