"""One turn of a conversation: the persona's manner of speaking, and the making of each sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from app.ai.providers.builtin.talk.data import table
from app.ai.providers.builtin.talk.grammar import Shape, as_sentence, lower_first
from app.ai.providers.builtin.talk.memory import Memory
from app.ai.providers.builtin.talk.sheet import Fact, Sheet
from app.ai.providers.builtin.talk.text import bare, capital, join, seed_of, sentences, share_of, shuffled, stem, stems

_GIFT_WORDS = {"pay": "give", "buy": "give", "price": "sum", "Price": "The sum", "prices": "sums"}
_GIVING = re.compile(r"\b(?:pay|buy|[Pp]rice|prices)\b")
_FREQUENCY = re.compile(r"\b(?:never|always|usually|often|sometimes|rarely|mostly|regularly|frequently)\b")


@cache
def plain_words() -> frozenset[str]:
    """The stems that name a topic and so tell nothing about which of its facts is meant."""
    return frozenset(stem(word) for line in table("topics")["ask"].values() for word in line.split()) - {
        "morning",
        "evening",
        "weekend",
    }


@dataclass(frozen=True)
class Voice:
    """How someone talks: `length` is 1 (terse) to 3 (chatty), `register` casual, plain or formal."""

    length: int
    register: str

    @property
    def most_sentences(self) -> int:
        return self.length + 2


def voice_of(sheet: Sheet) -> Voice:
    """The manner that fits the persona's age and schooling, with seeded variety."""
    draw = share_of(sheet.name, "voice")
    schooling = " ".join(fact.text for fact in sheet.of("education", "occupation")).lower()
    age = sheet.age or 40
    formal = (
        (age > 50)
        + bool(re.search(r"phd|doctor|master|law|director|partner|professor|cfo", schooling))
        + sheet.is_business
    )
    casual = (age < 34) + (draw < 0.35) - formal
    register = "formal" if formal >= 2 else "casual" if casual >= 1 else "plain"
    return Voice(1 if draw < 0.28 else 3 if draw > 0.62 else 2, register)


@dataclass
class Turn:
    """Everything one answer is made from; collects the sentences it has spent."""

    sheet: Sheet
    memory: Memory
    voice: Voice
    message: str = ""
    spent: set[str] = field(default_factory=set)

    def line(self, key: str, **slots: str) -> str:
        """A sentence from the phrase table that has not been said yet in this conversation, if there is one."""
        options = self._options(key)
        if not options:
            return ""
        order = sorted(shuffled(options, self.sheet.name, key, len(options)), key=self._worn)
        if self.sheet.is_giving and key.startswith("buying."):
            order = [_GIVING.sub(lambda found: _GIFT_WORDS[found.group()], option) for option in order]
        filled = [self._fill(option, slots) for option in order]
        for text in filled:
            if not self._heard(text):
                self.spent.update(bare(part) for part in sentences(text))
                return text
        return self.again(filled[len(self.memory.asked) % len(filled)])

    def _heard(self, text: str) -> bool:
        """Whether any sentence of the text, short ones aside, was said before."""
        told = self.memory.said | self.spent
        parts = [bare(part) for part in sentences(text)]
        return any(part in told for part in parts if len(part.split()) > 3 or len(parts) == 1)

    def _options(self, key: str) -> list[str]:
        section, _, name = key.partition(".")
        found = table("phrases").get(section, {}).get(name, [])
        kept = []
        for option in found:
            manner, bar, text = option.partition("|")
            if not bar:
                kept.append(option)
            elif manner in {self.voice.register, f"length{self.voice.length}"}:
                kept.append(text)
        return kept or [option.partition("|")[2] or option for option in found]

    def _worn(self, option: str) -> bool:
        """Whether the fixed words of a phrase were already used in this conversation, around other facts."""
        frame = max((bare(part) for part in re.split(r"\{\w+\}", option)), key=len)
        return len(frame) > 9 and (frame in self.memory.spoken or any(frame in spent for spent in self.spent))

    def fresh(self, key: str) -> bool:
        """Whether the phrase table still has a wording for this that was not used before."""
        return any(not self._worn(option) for option in self._options(key))

    @staticmethod
    def _fill(option: str, slots: dict[str, str]) -> str:
        text = re.sub(
            r"\{(\w+)\}",
            lambda match: (
                slots.get(match.group(1), slots.get(match.group(1).lower(), ""))
                if match.group(1).islower()
                else capital(slots.get(match.group(1).lower(), ""))
            ),
            option,
        )
        return as_sentence(re.sub(r"\s+([,.?!])", r"\1", " ".join(text.split())))

    def again(self, text: str) -> str:
        """The sentence marked as said before."""
        keep = text.split(" ")[0].strip(".,:").removesuffix("'s") in self.sheet.name.split()
        leads = shuffled(table("phrases")["again"]["lead"], self.sheet.name, "again", len(self.memory.asked))
        for lead in leads:
            said = f"{lead} {text if keep else lower_first(text)}"
            if bare(said) not in self.memory.said and bare(said) not in self.spent:
                self.spent.add(bare(said))
                return said
        return f"{leads[0]} {lower_first(text)}"

    def tell(self, fact: Fact, role: str = "lead") -> str:
        """A whole sentence that states one fact; `role` is `lead` or `also`."""
        said = fact.said
        shape = said.shape
        if fact.topic == "other" or (
            fact.topic in {"company", "budget", "brands", "traits", "decision"} and shape is Shape.NOUN
        ):
            return self.line(f"tell.other_{role}", label=fact.label, x=fact.text + fact.mark)
        if len(said.text.split()) > 24 and shape in (Shape.NOUN, Shape.CLAUSE):
            shape = Shape.CLAUSE
        if shape is Shape.BASE and fact.topic not in {"goals", "habits", "shopping", "values"}:
            shape = Shape.NOUN
        if shape is Shape.SELF and _FREQUENCY.search(said.text):
            return self.line(f"tell.self_{role}", x=said.clause + fact.mark)
        text = {Shape.SELF: said.clause, Shape.CLAUSE: said.text, Shape.BASE: said.text}.get(shape, said.noun)
        group = "noun" if shape is Shape.GERUND else shape.value
        for key in (f"{fact.topic}.{group}_{role}", f"tell.{group}_{role}"):
            if self._options(key):
                return self.line(key, x=text + fact.mark)
        return as_sentence(text + fact.mark)

    def rank(self, facts: list[Fact], question: str = "", *, fresh: bool = False) -> list[Fact]:
        """The facts with those that bear on the question first; `fresh` puts those already cited last."""
        asked = stems(question) - plain_words()
        cited = set(self.memory.cited)
        order = {id(fact): index for index, fact in enumerate(facts)}
        return sorted(
            facts, key=lambda fact: (fresh and fact.number in cited, -len(fact.stems & asked), order[id(fact)])
        )

    def near(self, fact: Fact, *topics: str) -> Fact | None:
        """The fact of the topics that has most to do with the given one, and was cited least."""
        others = [other for other in self.sheet.of(*topics) if other.number != fact.number or not fact.number]
        if not others:
            return None
        cited = self.memory.cited
        return min(
            others,
            key=lambda other: (
                -len(other.stems & fact.stems),
                cited.count(other.number),
                seed_of(self.sheet.name, fact.text, other.text),
            ),
        )

    @staticmethod
    def nouns(facts: list[Fact], last: str = "and") -> str:
        return join([fact.noun for fact in facts], last)

    @property
    def chatty(self) -> bool:
        return self.voice.length == 3

    @property
    def terse(self) -> bool:
        return self.voice.length == 1
