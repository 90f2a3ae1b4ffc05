"""Turns the fragments a persona is described in into words that persona could say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from app.ai.providers.builtin.talk.data import table, word_set
from app.ai.providers.builtin.talk.text import capital

_SUBJECT = re.compile(r"^(?:she|he|they)(?:'s)?\s+(?=\w)", re.IGNORECASE)
_FIRST_PERSON = re.compile(r"^(?:i|i'm|i've|i'd|i'll|my|we|we're)\b", re.IGNORECASE)
_OWN = (
    (re.compile(r"\b(?:himself|herself|themselves|themself|oneself)\b"), "myself"),
    (re.compile(r"\b(?:his|one's)\b"), "my"),
    (re.compile(r"\bher\b(?=\s+[a-z])"), "my"),
    (re.compile(r"\b(?:him|her)\b"), "me"),
    (re.compile(r"\b(?:she|he)(?:'s| is)\b"), "I'm"),
    (re.compile(r"\b(?:she|he) has\b"), "I have"),
    (re.compile(r"\b(?:she|he)\b"), "I"),
)
_THIRD_INSIDE = re.compile(r"\b(?:she|he) (\w+s)\b(?<!is)(?<!has)(?<!was)")
_THEIR_OWN = re.compile(
    r"\btheir\b(?= (?:own|phone|kids|children|child|daughter|son|family|shifts?|days?|weeks?|budget|home|time|money|team|job|work|schedule|body|health|sleep|partner|evenings?|inbox|business|skin|hair|rota)\b)"
)
_THEIR = re.compile(r"\btheir\b")


class Shape(StrEnum):
    """What a fragment is, which decides what can be said around it."""

    SELF = "self"  # a clause about the speaker: "I compare prices"
    CLAUSE = "clause"  # a clause about something else: "Delivery slots fill up"
    BASE = "base"  # a bare verb: "Save for a house"
    GERUND = "gerund"  # "Planning dinner at five"
    NOUN = "noun"  # "Lack of time"


@dataclass(frozen=True)
class Fragment:
    """A fragment with its shape; `text` begins in lower case unless its first word keeps a capital."""

    text: str
    shape: Shape

    @property
    def noun(self) -> str:
        """The fragment where a noun is wanted, as after "it's mostly"."""
        if self.shape is Shape.BASE:
            return _gerunds(self.text)
        if self.shape is Shape.SELF and self.text.startswith("I "):
            head, _, rest = self.text[2:].partition(" ")
            if head in word_set("words", "verbs"):
                return _gerunds(f"{head} {rest}".strip())
        return self.text

    @property
    def clause(self) -> str:
        """The fragment as a clause with the speaker in it, where it has a verb at all."""
        return f"I {self.text}" if self.shape is Shape.BASE else self.text


@lru_cache(maxsize=4096)
def fragment(text: str, name: str = "", mode: str = "") -> Fragment:
    """Read a fragment of a description. `mode` is `goal` or `habit` where the field usually begins with a verb."""
    text = text.strip().rstrip(".;, ")
    if _FIRST_PERSON.match(text):
        return Fragment(_first_letter(text), Shape.SELF)
    own = _without_subject(text, name)
    subject_gone = own != text
    head, second = _heads(own)
    if mode == "goal" and head in {"never", "not", "always"} and second in word_set("words", "verbs"):
        return Fragment(to_own(_first_letter(own)), Shape.BASE)
    if third := _third_person(own, certain=subject_gone, habit=mode == "habit"):
        return Fragment(to_own(third), Shape.SELF)
    if head in word_set("words", "adjectives") and second in {
        "by",
        "about",
        "of",
        "to",
        "with",
        "on",
        "for",
        "in",
        "at",
        "from",
    }:
        return Fragment(to_own(f"I'm {_first_letter(own)}"), Shape.SELF)
    if _is_gerund(head) or (head in {"never", "not", "always", "constantly", "still"} and _is_gerund(second)):
        return Fragment(to_own(_first_letter(own), sure=False), Shape.GERUND)
    if _is_base(head, second, verb_first=mode != "" or subject_gone):
        return Fragment(to_own(_first_letter(own.removeprefix("To ").removeprefix("to "))), Shape.BASE)
    shape = Shape.CLAUSE if _is_clause(own) else Shape.NOUN
    return Fragment(to_own(_first_letter(own), sure=False), shape)


def _without_subject(text: str, name: str) -> str:
    first = name.split()[0] if name.split() else ""
    if first and text.lower().startswith(first.lower() + " "):
        rest = text[len(first) :].strip()
        surname = name.split()[-1]
        return rest[len(surname) :].strip() if rest.startswith(surname + " ") else rest
    return _SUBJECT.sub("", text)


def _heads(text: str) -> tuple[str, str]:
    parts = text.lower().replace(",", "").split()
    if parts and parts[0] == "to":
        parts = parts[1:]
    return (parts[0] if parts else "", parts[1] if len(parts) > 1 else "")


def _is_base(head: str, second: str, *, verb_first: bool) -> bool:
    if head not in word_set("words", "verbs"):
        return False
    if second == "that" and head in {"know", "feel", "ensure", "prove", "show", "believe", "see", "check", "trust"}:
        return True
    if second in {"of", "that", "which", "is", "are"} or (
        second in word_set("words", "follow_noun") and not verb_first
    ):
        return False
    return verb_first or second in word_set("words", "determiners") or second in {"to", "up", "out", "with", "on"}


def _third_person(text: str, *, certain: bool, habit: bool) -> str:
    """`Often compares prices` as `I often compare prices`; empty when it does not begin with such a verb."""
    parts = text.split()
    lead: list[str] = []
    while parts and _is_adverb(parts[0].lower()):
        lead.append(parts.pop(0).lower())
    if not parts:
        return ""
    head, follower = parts[0].lower(), parts[1].lower() if len(parts) > 1 else ""
    base = _base_of_third(head)
    if lead and not base and head in word_set("words", "verbs"):
        base = head
    if not base:
        return ""
    sure = (
        certain
        or lead
        or _verb_follows(follower)
        or (habit and follower not in {"of", "that", "which", "is", "are", "were", "and"})
    )
    if head in word_set("words", "noun_like") and not sure:
        return ""
    if base == "am":
        return " ".join(["I'm", *lead, *_also_first(parts[1:])])
    return " ".join(["I", *lead, base, *_also_first(parts[1:])])


def _is_adverb(word: str) -> bool:
    return word in word_set("words", "adverbs") or (
        word.endswith("ly") and len(word) > 5 and word not in word_set("words", "not_adverbs")
    )


def _verb_follows(follower: str) -> bool:
    known = (word_set("words", "determiners") | word_set("words", "adverbs")) - {"that"}
    prepositions = {
        "to",
        "through",
        "around",
        "up",
        "out",
        "by",
        "before",
        "after",
        "online",
        "when",
        "until",
        "over",
        "into",
        "as",
    }
    return follower in known or follower in prepositions or follower.isdigit()


def _also_first(rest: list[str]) -> list[str]:
    """Verbs joined by `and`, `then` or `but` follow the first into the first person."""
    done: list[str] = []
    for index, word in enumerate(rest):
        before = rest[index - 1].lower() if index else ""
        joined = before.strip(",") in {"and", "then", "but", "or"} or before.endswith((",", ";"))
        stem = word.lower().rstrip(",;")
        base = _base_of_third(stem) if joined else ""
        after = _at(rest, index + 1)
        listed = before.endswith((",", ";")) and after not in {"", "of", "that", "which", "is", "are", "and"}
        usable = base and (stem not in word_set("words", "noun_like") or _verb_follows(after) or listed)
        done.append(base + word[len(stem) :] if usable and base != "am" else word)
    return done


def _at(items: list[str], index: int) -> str:
    return items[index].lower() if index < len(items) else ""


def _base_of_third(word: str) -> str:
    irregular = table("words")["irregular"]
    if word in irregular:
        return str(irregular[word])
    verbs = word_set("words", "verbs")
    if not word.endswith("s") or word.endswith("ss"):
        return ""
    for base in (word[:-1], word[:-2] if word.endswith("es") else "", word[:-3] + "y" if word.endswith("ies") else ""):
        if base in verbs:
            return base
    return ""


def _is_gerund(word: str) -> bool:
    return len(word) > 4 and word.endswith("ing") and word not in word_set("words", "not_gerunds")


def gerund(text: str) -> str:
    """`save for a house` as `saving for a house`."""
    head, _, rest = text.partition(" ")
    low = head.lower()
    if low.endswith("ie"):
        form = low[:-2] + "ying"
    elif low.endswith("e") and not low.endswith(("ee", "oe")) and low != "be":
        form = low[:-1] + "ing"
    elif re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", low):
        form = low + low[-1] + "ing"
    else:
        form = low + "ing"
    return f"{form} {rest}".strip()


def _gerunds(text: str) -> str:
    if text.startswith(("never ", "not ", "always ")):
        lead, _, text = text.partition(" ")
        return f"{lead} {_gerunds(text)}"
    head, *rest = re.split(r"( and | then |, )", text)
    verbs = word_set("words", "verbs")
    return gerund(head) + "".join(
        gerund(part) if part.split(" ")[0] in verbs and " " in part.strip() else part for part in rest
    )


def _is_clause(text: str) -> bool:
    parts = text.lower().split()
    for index, word in enumerate(parts[1:7], 1):
        if word in {"that", "which", "who", "where", "to", "than", "for"}:
            return False
        if word in word_set("words", "auxiliaries"):
            return index > 0
    return False


def _first_letter(text: str) -> str:
    head = text.split(" ", 1)[0] if text else ""
    plain = re.sub(r"[^\w']", "", head)
    keep = plain.lower().removesuffix("'s") in word_set("words", "proper") or any(
        c.isupper() or c.isdigit() for c in plain[1:]
    )
    return text if keep or (len(plain) == 1 and plain != "A") else text[:1].lower() + text[1:]


def to_own(text: str, *, sure: bool = True) -> str:
    """`her phone` as `my phone`; `their` only where it is hardly somebody else's. `sure`: the subject is the speaker."""
    text = _THIRD_INSIDE.sub(lambda match: f"I {_base_of_third(match.group(1).lower()) or match.group(1)}", text)
    for found, mine in _OWN:
        text = found.sub(mine, text)
    match = _THEIR.search(text)
    if match and not re.search(
        r"\b(?:that|who|which|people|brands|companies|\w+ers|kids|children|suppliers)\b", text[: match.start()].lower()
    ):
        text = _THEIR.sub("my", text) if sure else _THEIR_OWN.sub("my", text)
    return re.sub(r"\bi\b", "I", text)


def lower_first(text: str) -> str:
    """The text as it would stand inside a sentence."""
    return _first_letter(text)


def with_article(text: str) -> str:
    """`hospital pharmacist` as `a hospital pharmacist`; titles that bear no article stay bare."""
    text = _first_letter(text)
    head = re.sub(r"[^\w-]", "", text.split(" ", 1)[0]).lower() if text else ""
    second = text.split()[1].lower() if len(text.split()) > 1 else ""
    bare = head in word_set("words", "no_article") and (
        not second or second in word_set("words", "follow_noun") | {"as", "after"}
    )
    if not head or bare or head in word_set("words", "no_article_ever") | word_set("words", "determiners"):
        return text
    vowel = head[0] in "aeiou" and head not in word_set("words", "consonant_sound")
    return f"{'an' if vowel or head in word_set('words', 'vowel_sound') else 'a'} {text}"


def as_sentence(text: str) -> str:
    """The text with a capital at its head and a stop at its end."""
    text = text.strip()
    return capital(text) + ("" if text.endswith((".", "!", "?", "…", ".”", "?”", "!”")) else ".") if text else ""
