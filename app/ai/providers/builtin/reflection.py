"""Expert reflection: what in an audience is strong, what is assumed, what to test first, and what could go wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from app.ai.providers.base import Citation
from app.ai.providers.builtin.audience import sizing_note
from app.ai.providers.builtin.cite import Sources
from app.ai.providers.builtin.given import Group, Handed, Member, handed
from app.ai.providers.builtin.prose import bullets, full_stop, listed, lower_first, numbered, section

SMALL, LARGE = 12, 45


def reflection(facts: Mapping[str, Any]) -> tuple[str, tuple[Citation, ...]]:
    given = handed(facts)
    cited = Sources()
    parts = [
        f"# Reflection on the audience: {lower_first(given.plan.market.title)}",
        _verdict(given),
        section("What is strong", bullets(_strong(given, cited))),
        section("What is assumed", bullets(_assumed(given))),
        section("Segment by segment", "\n\n".join(_group_note(given, group) for group in given.groups)),
        section("What to test first", numbered(_tests(given))),
        section("Risks", bullets(_risks(given))),
    ]
    if given.deep:
        parts += [section("Person by person", bullets(_person_note(given, m) for m in given.members)),
                  section("Evidence for and against", bullets(
                      f"{cited.stated(key)}. {meaning}" for key, meaning in given.plan.market.facts))]  # fmt: skip
    return "\n\n".join(part for part in parts if part), cited.citations()


def _verdict(given: Handed) -> str:
    groups, people = len(given.groups), len(given.members)
    start = f"{_number(groups).capitalize()} segments and {_number(people)} personas" if people else \
        f"{_number(groups).capitalize()} segments and no personas yet"  # fmt: skip
    if not given.plan.match.known:
        return (f"{start}. The market is one the analyst knows little of, so the audience is a frame rather than a finding: "
                "its shape is plausible, its content is yours to fill.")  # fmt: skip
    return (f"{start}. The audience is plausible and internally consistent. Its weakest point is the same as its starting "
            f"point: it rests on knowledge of {lower_first(given.plan.market.title)} in general and on one brief, not on your "
            "customers.")  # fmt: skip


def _number(count: int) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return words[count] if count < len(words) else str(count)


def _strong(given: Handed, cited: Sources) -> list[str]:
    market = given.plan.market
    lines = [f"The segments differ in how they decide, not only in age. {_contrast(given)}"]
    lines += [
        f"A published figure stands behind it. {cited.stated(key)}. {meaning}" for key, meaning in market.facts[:2]
    ]
    kinds = _evidence(given.members)
    if kinds:
        total = sum(kinds.values())
        lines.append(f"Each field says what it rests on: of {total} marked fields, {kinds['inferred']} are inferred, "
                     f"{kinds['invented']} invented for colour and {kinds['observed']} observed in your own data.")  # fmt: skip
    return lines


def _contrast(given: Handed) -> str:
    first, last = given.groups[0], given.groups[-1]
    fill = given.plan.fill
    if first is last:
        return f"{first.name}: “{fill(first.part.seed.decides)}.”"
    return f"{first.name}: “{fill(first.part.seed.decides)}.” {last.name}: “{fill(last.part.seed.decides)}.”"


def _evidence(members: tuple[Member, ...]) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for member in members:
        evidence = member.data.get("evidence")
        if isinstance(evidence, Mapping):
            kinds.update(str(e.get("kind", "")) for e in evidence.values() if isinstance(e, Mapping))
    return kinds


def _assumed(given: Handed) -> list[str]:
    brief = given.plan.brief
    lines = [
        f"Sizes: {sizing_note(given.plan.market)}. They rank the segments; they do not count people.",
        "Goals, worries and habits: general knowledge of the market, written as if each segment spoke with one voice.",
    ]
    missing = [name for field, name in (("age_range", "an age range"), ("location", "a place"), ("income_level", "an income level"),
               ("core_need", "a core need"), ("customers", "who buys today")) if not brief.words(field)]  # fmt: skip
    if missing:
        lines.append(f"The brief gives no {' or '.join(m.removeprefix('an ').removeprefix('a ') for m in missing)}: "
                     "the analyst filled those in, and each would sharpen the result.")  # fmt: skip
    if any(place.country not in ("US", "") for place in brief.places):
        lines.append("Pay and household figures are American and stand in for those of the brief's location.")
    if given.plan.match.secondary:
        lines.append(
            f"One segment is borrowed from {lower_first(given.plan.match.secondary.title)} because the brief mentions it."
        )
    return lines


def _group_note(given: Handed, group: Group) -> str:
    fill, seed = given.plan.fill, group.part.seed
    size = f" ({group.size}%)" if group.size is not None else ""
    size_note = ""
    if group.size is not None and group.size <= SMALL:
        size_note = " At this size it must be cheap to reach or unusually loyal to be worth its own message."
    elif group.size is not None and group.size >= LARGE:
        size_note = " A group this large usually hides two: look for a split by how they buy."
    who = (
        f" Its people here: {listed([m.name for m in group.members])}." if group.members else " It has no personas yet."
    )
    return (f"**{group.name}**{size}. What makes it a segment: “{fill(seed.traits[0])}”. What to doubt: the goal "
            f"“{fill(seed.goals[0])}”. Would they pay for it, or only agree with it?{size_note}{who}")  # fmt: skip


def _tests(given: Handed) -> list[str]:
    market, lead = given.plan.market, given.groups[0]
    fill = given.plan.fill
    tests = [f"**The worry.** Show ten people from “{lead.name}” three lines, one of them “{fill(lead.part.seed.pains[0])}”. "
             "If fewer than six pick it unprompted, the segment is built on the wrong pain.",
             f"**The objection.** Put an answer to “{market.objections[0]}” on one of two otherwise equal pages and compare "
             "how many start to buy.",
             f"**The split.** Ask new buyers what they did the week before. {full_stop(market.trigger)} If the answers do not "
             "differ by segment, merge segments."]  # fmt: skip
    if given.members:
        person = given.members[0]
        tests.append(f"**The person.** Read {person.name}'s quote to someone who serves customers every day. If they cannot "
                     "name a customer who talks like that, rewrite the persona.")  # fmt: skip
    return tests


def _risks(given: Handed) -> list[str]:
    market, people = given.plan.market, given.members
    lines = [
        f"Selling to the average. {full_stop(market.tension)} One message for all segments would miss that.",
        f"Price read too simply. {full_stop(market.price)}",
    ]
    places = Counter(m.text("location") for m in people if m.text("location"))
    if places and places.most_common(1)[0][1] > max(2, len(people) // 2):
        lines.append(f"Most personas live in {places.most_common(1)[0][0]}: do not read local habits as general ones.")
    genders = Counter(m.text("gender") for m in people if m.text("gender"))
    if len(people) >= 4 and len(genders) == 1:
        lines.append(
            f"All personas are {next(iter(genders)).lower()}: a gap if the other half of buyers matters to you."
        )
    lines.append("A tidy persona is easy to agree with. Treat every one as a question to put to real customers.")
    return lines


def _person_note(given: Handed, member: Member) -> str:
    age, job, income = member.text("age"), member.text("occupation"), member.text("income")
    pains, goals = member.items("pain_points"), member.items("goals")
    facts = listed([p for p in (age, lower_first(job) if job else "", income) if p])
    pull = f" The pull: “{goals[0]}”." if goals else ""
    brake = f" The brake: “{pains[0]}”." if pains else ""
    return f"**{member.name}**{f' ({facts})' if facts else ''}, of {lower_first(member.segment) or 'no segment'}.{pull}{brake}"
