"""Tells what a user pastes (a text in quotes, options A and B) from what they ask about it."""

from __future__ import annotations

import re

from app.ai.providers.builtin.talk.text import words

_QUOTED = re.compile(
    r"\"([^\"]{8,1500})\"|(?<!\w)'([^'\n]{12,1500})'(?!\w)|“([^”]{8,1500})”|`{1,3}([^`]{8,1500})`{1,3}"
)
_LABELLED = re.compile(r"(?:^|[\s(;,:])(?:option\s+|version\s+)?\(?([A-Da-d1-4])[):.=](?:\s+|(?=[A-Z\"'0-9$£€]))", re.M)
_LEAD_IN = re.compile(
    r"\b(?:ad|advert|slogan|tagline|headline|message|text|email|subject line|offer|copy|line|post|feature|idea|this|following|one|reads?|says?|about|sms|banner|pitch)\s*:\s*(.{6,})$",
    re.I | re.S,
)


def unpaste(block: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The question without what was pasted, the pasted texts, and the options where there are several."""
    labelled = list(_LABELLED.finditer(block))
    labels = [match.group(1).lower() for match in labelled]
    if len(labelled) >= 2 and labels[:2] in (["a", "b"], ["1", "2"]):
        return _labelled_options(block, labelled)
    quoted = [next(group for group in match.groups() if group) for match in _QUOTED.finditer(block)]
    if quoted:
        return _QUOTED.sub(" PASTED ", block), tuple(quoted), tuple(quoted) if len(quoted) > 1 else ()
    if lead := _LEAD_IN.search(block):
        return block[: lead.start(1)] + " PASTED", (lead.group(1).strip(),), ()
    first, _, rest = block.partition("\n")
    if rest and len(words(rest)) > 3 and ("?" in first or first.endswith(":")):
        return f"{first} PASTED", (rest,), ()
    return block, (), ()


def _labelled_options(block: str, found: list[re.Match[str]]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    ends = [match.start() for match in found[1:]] + [len(block)]
    texts = [
        re.sub(r"(?:[\s,;]|\b(?:or|and))+$", "", block[match.end() : end].strip())
        for match, end in zip(found, ends, strict=True)
    ]
    asked, last = block[: found[0].start()], texts[-1]
    tail = re.search(r"(?:(?<=[.!?\"'])\s+|\n)((?:which|what|who|would|do)\b[^?]*\?)\s*$", last, re.I)
    if tail:
        asked, texts[-1] = f"{asked} {tail.group(1)}", last[: tail.start()]
    options = tuple(text.strip(" \"'?\n") for text in texts if text.strip(" \"'?\n"))
    return f"{asked} PASTED", options, options if len(options) > 1 else ()


def labels_of(block: str) -> tuple[str, ...]:
    """The letters or numbers the options bear."""
    return tuple(match.group(1) for match in _LABELLED.finditer(block))
