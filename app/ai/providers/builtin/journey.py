"""Market simulation: how each segment would meet the offer, from first notice to habit, and how each person would react."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.ai.providers.base import Citation
from app.ai.providers.builtin.brief import clip
from app.ai.providers.builtin.cite import Sources
from app.ai.providers.builtin.dice import Dice
from app.ai.providers.builtin.given import Group, Handed, Member, handed
from app.ai.providers.builtin.prose import bullets, full_stop, lower_first, section


def market_simulation(facts: Mapping[str, Any]) -> tuple[str, tuple[Citation, ...]]:
    given = handed(facts)
    cited = Sources()
    parts = [f"# Market simulation: {_offer(given)} meets its audience", _opening(given)]
    parts += [section(_head(group), _journey(given, group)) for group in given.groups]
    if given.members:
        parts.append(section("How each person would react", bullets(_reaction(given, m) for m in given.members)))
    parts.append(section("Where the market leaks", _leaks(given, cited)))
    if given.deep:
        parts += [section("What would change the outcome", bullets(_levers(given))),
                  section("Figures behind this", bullets(
                      f"{cited.stated(key)}. {meaning}" for key, meaning in given.plan.market.facts))]  # fmt: skip
    parts.append(
        "_A reasoned rehearsal from the personas' own facts, not a forecast: no share here is a prediction of sales._"
    )
    return "\n\n".join(part for part in parts if part), cited.citations()


def _offer(given: Handed) -> str:
    return given.plan.brief.brand or given.plan.market.offer


def _opening(given: Handed) -> str:
    market = given.plan.market
    about = clip(given.plan.brief.words("business_description"), 160)
    offer = f"The offer, as the brief puts it: “{about.rstrip('.')}”. " if about else ""
    return f"{offer}{full_stop(market.trigger)} That is when the simulation begins."


def _head(group: Group) -> str:
    return f"{group.name}{f' ({group.size}%)' if group.size is not None else ''}"


def _journey(given: Handed, group: Group) -> str:
    """Awareness, consideration, first purchase, repeat: from what the segment wants, fears and does."""
    fill, seed, market = given.plan.fill, group.part.seed, group.part.market
    dice = Dice("journey", given.plan.base, seed.key)
    channels = dice.order(market.channels, "channels")
    objection = dice.pick(market.objections, "objection")
    return bullets([
        f"**Awareness.** They notice {_offer(given)} through {lower_first(channels[0])} or {lower_first(channels[1])}, and only if "
        f"the first line speaks to this: “{fill(seed.pains[0])}.”",
        f"**Consideration.** {full_stop(fill(seed.decides))} What they say to themselves: “{fill(objection)}” What answers it: "
        f"{full_stop(market.proof)}",
        f"**First purchase.** It happens when buying looks like a step towards “{fill(seed.goals[0])}”. It stalls on "
        f"“{fill(seed.pains[-1])}”.",
        f"**Repeat.** {full_stop(fill(dice.pick(market.habits, 'habit')))} They stay if the second time is easier than the first; "
        f"as one would put it: “{fill(seed.quotes[-1])}”",
    ])  # fmt: skip


def _reaction(given: Handed, member: Member) -> str:
    pains, goals, habits = member.items("pain_points"), member.items("goals"), member.items("purchasing_habits")
    stance = _stance(given, member)
    want = f" Leans in at “{goals[0]}”." if goals else ""
    brake = f" Hesitates over “{pains[0]}”." if pains else ""
    how = f" How it is settled: {lower_first(habits[0])}." if habits else ""
    said = f" “{member.text('quote')}”" if member.text("quote") else ""
    return f"**{member.name}**{_who(member)}: {stance}.{want}{brake}{how}{said}"


def _who(member: Member) -> str:
    told = [p for p in (member.text("age"), lower_first(member.text("occupation"))) if p]
    return f", {', '.join(told)}" if told else ""


def _stance(given: Handed, member: Member) -> str:
    """How warm the first reaction is: warmer the more of the brief's words the person's own goals share."""
    brief = given.plan.brief
    said = {w for w in (brief.need + " " + brief.words("business_description")).lower().split() if len(w) > 4}
    goals = [goal for goal in member.items("goals") if goal.lower() != brief.need.lower()]
    mine = {w for item in goals + member.items("interests") for w in item.lower().split()}
    luck = Dice("stance", given.plan.base, member.name).roll("warmth")
    warmth = min(2, len(said & mine)) * 0.2 + luck
    return "would try it this month" if warmth > 0.75 else "curious, but waits for a reason" if warmth > 0.35 else \
        "reads it, and keeps what they have for now"  # fmt: skip


def _leaks(given: Handed, cited: Sources) -> str:
    market = given.plan.market
    lines = [
        f"Between notice and trial: “{market.objections[0]}”",
        f"Between trial and habit: “{market.pains[-1]}”",
    ]
    lines += [f"{cited.stated(key)}. {meaning}" for key, meaning in market.facts[:2]]
    return bullets(lines)


def _levers(given: Handed) -> list[str]:
    fill = given.plan.fill
    return [f"**{group.name}**: {full_stop(fill(group.part.seed.approach))} Watch this habit: "
            f"“{fill(group.part.seed.acts[0])}”. A change there is the first sign that it works."
            for group in given.groups]  # fmt: skip
