"""The short answers: insight from a brief, and segments with sizes that add up to 100."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.ai.providers.builtin import market_size
from app.ai.providers.builtin.audience import Part, Plan, firms, plan, size_basis
from app.ai.providers.builtin.brief import clip, read_brief
from app.ai.providers.builtin.cite import about, figure
from app.ai.providers.builtin.knowledge import facts as published
from app.ai.providers.builtin.prose import article, listed, lower_first


def insight(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Summary, market size with its arithmetic, key insights and recommendations."""
    made = plan(read_brief(facts.get("brief")))
    return {"summary": _summary(made), "total_addressable_market": market_size.in_words(made),
            "key_insights": _insights(made), "recommendations": _recommendations(made)}  # fmt: skip


def _summary(made: Plan) -> str:
    brief, market = made.brief, made.market
    who = brief.brand or "This business"
    buyers = listed([lower_first(made.fill(part.seed.name)) for part in made.parts])
    start = f"{who} is about {lower_first(market.title)}" if made.match.known else \
        f"{who} is in a market the analyst knows little of, so this describes " \
        f"{'business buyers' if market.is_business else 'households'} in general"  # fmt: skip
    need = f" The need it sets out to meet: {brief.need}." if brief.need else ""
    served = f" It sells to {made.match.trade.trade}." if made.match.trade else ""
    return f"{start}.{served} {market.tension}{need} The likely buyers are {buyers}; the largest group, at an estimated " \
           f"{made.parts[0].percentage}%, is {lower_first(made.fill(made.parts[0].seed.name))}."  # fmt: skip


def _insights(made: Plan) -> list[str]:
    market = made.market
    lines = [f"{market.trigger} That is the week to be seen: outside it, advertising reaches people who are not looking."
             if market.trigger.endswith(".") else market.trigger]  # fmt: skip
    lines[0] = f"Buying starts with an event. {lines[0]}"
    lines += [_fact_line(fact_id, meaning) for fact_id, meaning in market.facts[:2]]
    if made.match.secondary and made.match.secondary.facts:
        lines.append(_fact_line(*made.match.secondary.facts[0]))
    lead, last = made.parts[0].seed, made.parts[-1].seed
    lines.append(f"{made.fill(lead.name)} and {lower_first(made.fill(last.name))} will not be moved by the same message: the "
                 f"first says “{made.fill(lead.quotes[0])}”, the other “{made.fill(last.quotes[0])}”")  # fmt: skip
    lines.append(f"The objection to answer first: “{made.fill(market.objections[0])}” {market.proof}")
    return lines[:6]


def _fact_line(fact_id: str, meaning: str) -> str:
    fact = published()[fact_id]
    return f"{meaning} {fact.claim}: {figure(fact)} ({about(fact)})."


def _recommendations(made: Plan) -> list[str]:
    lead = made.parts[0].seed
    first = f"Start with {lower_first(made.fill(lead.name))}. {made.fill(lead.approach)}"
    test = (f"Before spending on reach, ask ten people of this group whether “{made.fill(lead.pains[0])}” is really what "
            "bothers them: the segment is an assumption until they say so.")  # fmt: skip
    return [first, *(made.fill(move) for move in made.market.moves[:3]), test][:6]


def segments(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Three to five segments, largest first."""
    made = plan(read_brief(facts.get("brief")))
    return {"segments": [segment(made, part) for part in made.parts]}


def segment(made: Plan, part: Part) -> dict[str, Any]:
    return {"name": made.fill(part.seed.name), "description": _description(made, part),
            "size_percentage": part.percentage, "key_characteristics": _characteristics(made, part),
            "marketing_approach": _approach(made, part)}  # fmt: skip


def _description(made: Plan, part: Part) -> str:
    who = made.fill(part.seed.who)
    roles = listed([_plain_role(r.label) for r in part.roles[:3]])
    jobs = f"Titles to look for: {roles}." if part.market.is_business else f"Think of {_articles(part)}."
    return f"{who[:1].upper()}{who[1:]}. {jobs} {made.fill(part.seed.decides)}. Its share is {size_basis(part.market)}."


def _plain_role(label: str) -> str:
    return lower_first(label)


def _articles(part: Part) -> str:
    labels = [lower_first(r.label) for r in part.roles[:3]]
    named = [article(label) for label in labels]
    low, high = part.ages
    return f"{listed(named)}, aged {low} to {high}"


def _characteristics(made: Plan, part: Part) -> list[str]:
    ages = f"Aged {part.ages[0]} to {part.ages[1]}"
    where = {"city": ", mostly in cities", "suburb": ", mostly in suburbs", "rural": ", mostly outside towns"}.get(
        part.seed.area, ""
    )
    firm = f", for instance in {listed(firms(made, part)[:2])}" if part.seed.firms else where
    return [
        f"{ages}{firm}",
        *(made.fill(t) for t in part.seed.traits),
        f"Worry: {lower_first(made.fill(part.seed.pains[0]))}",
    ][:6]


def _approach(made: Plan, part: Part) -> str:
    need = made.brief.need
    tie = f" Tie it to the need in the brief: {lower_first(clip(need, 90))}." if need else ""
    return f"{made.fill(part.seed.approach)}{tie}"
