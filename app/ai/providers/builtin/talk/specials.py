"""The questions that take more than a pattern: comparisons, prices, channels, proposals, opinions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from app.ai.providers.builtin.talk.data import pattern, table
from app.ai.providers.builtin.talk.question import Reading, any_of_entry

_FOLLOW = re.compile(
    r"^(?:and|or|but|ok(?:ay)?,?|so|also)?,?\s*(?:what about|how about|what of|and|or)\s+(?:with |for |on |if it(?:'s| is| were| was) )?(?:your |the |a |an |some )?(?P<x>[^?]{2,60})\??$",
    re.I,
)


def _cannot(draft: Reading) -> Reading | None:
    for name, entry in table("cannot").items():
        if any_of_entry(entry, draft.question):
            return replace(draft, intent="cannot", subject=name)
    return None


def _compare(draft: Reading) -> Reading | None:
    if draft.options:
        return replace(draft, intent="compare")
    found = pattern(
        r"(?:^|(?:which|what)[^,:]*[,:] |\b(?:prefer|rather(?: have)?|choose|pick|between|better|like|open|compare|want|trust|is it|for you|to you|go for|about) )"
        r"(?:(?:an?|the|to|more|get|have|having|be|between|get) )*(?P<a>[^,?:]{2,80}?),? (?:or|vs\.?|versus|over(?! \d)|and(?= [^?]*\?*$)) (?:(?:an?|the|to|more|get) )*(?P<b>[^,?]{2,80}?)\??$"
    ).search(draft.question)
    both = found and not (" and " in found.group() and not pattern(r"\b(?:between|compare)\b").search(draft.question))
    if (
        not found
        or not both
        or pattern(r"\b(?:so|else|not|more|less|anything|something|no|whatever|other)\W*$").search(found["b"])
    ):
        return None
    if (
        pattern(r"^(?:how|why|who|where|when|have|has|did|tell)\b").search(draft.question)
        or "man" in found["a"].split()
    ):
        return None
    first = re.sub(
        r"^.*\b(?:prefer|rather|choose|between|compare|is it|do you|would you|are you)(?:\s+(?:an?|the|to|more|get|buy|use|have|open|pick))*\s+",
        "",
        found["a"],
    )
    return replace(draft, intent="compare", options=(first.strip(), found["b"].strip()))


def _react(draft: Reading) -> Reading | None:
    if not draft.pasted or pattern(r"\b(?:out of|scale|rate|score|1 ?(?:-|to) ?10)\b").search(draft.question):
        return None
    return replace(draft, intent="react")


def _follow(draft: Reading) -> Reading | None:
    found = _FOLLOW.match(draft.question)
    return replace(draft, intent="follow", subject=recase(draft.raw, found["x"].strip())) if found else None


def _channel(draft: Reading) -> Reading | None:
    if not draft.channels or draft.pasted or not draft.yes_no or any_of_entry(_entry("timing"), draft.question):
        return None
    if draft.question.startswith(("should", "can we", "could we", "may we", "can i")):
        return None
    if not pattern(r"\byou\b|\byour\b|^any\b|^is\b").search(draft.question) or pattern(
        r"\bour\b|\bwork in|\bif we\b|\btell (?:a |your )?friends\b"
    ).search(draft.question):
        return None
    if set(draft.channels) & {"stores", "events", "websites", "reviews", "word of mouth"} and not pattern(
        r"\b(?:use|visit|go|read|shop|buy|attend|look|check|follow|like)\b"
    ).search(draft.question):
        return None
    return replace(draft, intent="channel")


def _entry(name: str) -> dict[str, object]:
    return next(entry for entry in table("intents")["intent"] if entry["name"] == name)


def _pay(draft: Reading) -> Reading | None:
    if draft.amount is None or draft.pasted:
        return None
    asked = pattern(
        r"\b(?:pay|cost|price|charge|spend|fee|worth|much|expensive|cheap|fair|afford|buy|for|month|year|at|reasonable|raise|increase|is|if)\b"
    )
    off = pattern(r"\b(?:off|discount|save|voucher|coupon|credit|win|free|cashback)\b")
    if off.search(draft.question) and not pattern(r"\b(?:pay|cost|charge)\b").search(draft.question):
        return None
    return replace(draft, intent="pay") if asked.search(draft.question) or len(draft.question) < 20 else None


def _proposal(draft: Reading) -> Reading | None:
    found = pattern(
        r"^(?:so |and |ok,? )?(?:do you think )?(?:should|shall|could|can|may) (?:we|i)\b|\b(?:if|suppose|imagine|say|that) (?:that )?(?:we|i|they|there|our|the (?:price|company|app|store|delivery|product))\b|\bwhat if\b(?! you)|"
        r"\bhow about (?:if )?we\b|^(?:imagine|suppose)\b|^(?:and |so |but )?would it (?:help|matter|bother|annoy|be)\b|\b(?:do|would) you (?:want|like|mind|prefer) (?:us|it if)\b|"
        r"^(?:so |well,? |and |by the way,? )*(?:we|our (?:company|team))(?:'re| are|'ve| have|'ll| will|'d| would)? (?:\w+ ){0,2}(?:plan|think|going|consider|about|launch|add|introduc|offer|remov|rais|chang|stop|start|open|clos|mov|replac|giv|mak|sell|built|build|now|want|cut|drop|test|bring|charg)|"
        r"\b(?:we|i) (?:offered|launched|raised|introduced|removed|stopped|started|charged|gave|opened|closed|added|sent|changed)\b"
    ).search(draft.question)
    return (
        replace(draft, intent="proposal")
        if found and not pattern(r"\b(?:what|where|how|when) (?:should|can|could) (?:we|i)\b").search(draft.question)
        else None
    )


def _importance(draft: Reading) -> Reading | None:
    found = pattern(
        r"^(?:and |so )?(?:how (?:important|big|much) (?:is|are|does|do|a factor is) |is |are |does |do )(?:you (?:really |actually |even )?care about )?(?P<x>[^?]{2,60}?)(?: (?:really|even|actually))?"
        r"(?: (?:important|matter|count|a priority|a factor|a big deal|an issue)\b[^?]*| (?:to|for) you[^?]*|)\??$"
    ).search(draft.question)
    asked = pattern(r"\bimportant\b|\bmatters?\b|\bcare about\b|\bpriority\b|\bbig deal\b|\ba factor\b").search(
        draft.question
    )
    if (
        not found
        or not asked
        or draft.pasted
        or pattern(r"\b(?:scale|out of|what|which|most|1|10)\b").search(draft.question)
    ):
        return None
    subject = re.sub(
        r"^(?:the|a|an|your|our)\s+", "", re.sub(r"\s+(?:important|matter|to you|for you).*$", "", found["x"].strip())
    )
    return replace(draft, intent="importance", subject=recase(draft.raw, subject))


def _stay(draft: Reading) -> Reading | None:
    found = pattern(
        r"^(?:and |so |but |then )*(?:would|will) (?:you|that|it|this) (?:still |then |really )?(?:stay|leave|cancel|keep|accept|mind|be (?:ok|okay|fine|happy|annoyed)|notice|bother|matter|change|make you|put you off|like (?:it|that|this)|want (?:it|that|this)|buy (?:it|that|this)|stop|quit|go elsewhere|pay (?:it|that|this))\b[^?]{0,40}\??$"
    ).search(draft.question)
    return replace(draft, intent="stay") if found and draft.amount is None and not draft.pasted else None


def _opinion(draft: Reading) -> Reading | None:
    found = pattern(
        r"\b(?:think|feel|say|view|opinion|thoughts?|stance|take|reaction|feelings?|keen|interested|like|care)\b(?: of| about| on| in| to| towards?)+ (?:the |a |an |this |that |these |our )?(?P<x>[^?]{2,200})"
    ).search(draft.question)
    reached = pattern(r"\b(?:contacted|reached|messaged|approached|getting|receiving|ads on|by|via|through)\b")
    if (
        found
        and draft.channels
        and (len(found["x"].split()) < 4 or reached.search(found["x"]))
        and "our " not in found["x"]
    ):
        return replace(draft, intent="channel")
    return replace(draft, intent="opinion", subject=recase(draft.raw, found["x"].strip(" .!"))) if found else None


def recase(raw: str, subject: str) -> str:
    """The subject with the capitals the user gave it."""
    at = raw.lower().find(subject.lower())
    return raw[at : at + len(subject)] if at >= 0 else subject


SPECIAL: dict[str, Callable[[Reading], Reading | None]] = {
    "cannot": _cannot, "compare": _compare, "react": _react, "follow": _follow, "channel": _channel,
    "pay": _pay, "importance": _importance, "stay": _stay, "proposal": _proposal, "opinion": _opinion,
}  # fmt: skip
