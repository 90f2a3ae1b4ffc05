"""Research: what the shipped figures and the knowledge base say about the brief's market, with numbered sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.ai.providers.base import Citation
from app.ai.providers.builtin import market_size, sizing
from app.ai.providers.builtin.audience import Plan, plan, sizing_note
from app.ai.providers.builtin.brief import clip, read_brief
from app.ai.providers.builtin.cite import Sources
from app.ai.providers.builtin.knowledge import facts as published
from app.ai.providers.builtin.prose import bullets, listed, lower_first, money, section

SHALLOW_FACTS = 5


def research(facts: Mapping[str, Any]) -> tuple[str, tuple[Citation, ...]]:
    """Markdown with [n] marks and the citations they lead to; `deep` adds spending, media and open questions."""
    made = plan(read_brief(facts.get("brief")))
    deep = bool(facts.get("deep"))
    cited = Sources()
    parts = [
        f"# {made.market.title}: what is known before asking anyone",
        opening(made),
        section("The tension to sell into", f"{made.market.tension}\n\n**What starts the search.** {made.market.trigger}"
                                            f"\n\n**What convinces.** {made.market.proof}"),
        section("What the figures say", _figures(made, cited, deep)),
        section("Who is likely to buy", _people(made, cited)),
        section("What they want, and what stops them", _wants(made)),
        section("Price", made.market.price + _spend_line(made, cited)),
        section("Where to meet them", _channels(made, cited)),
        section("Size of the market", market_size.arithmetic(made, cited)),
    ]  # fmt: skip
    if deep:
        parts += [section("Spending, by who holds the purse", _spending_table(made, cited)),
                  section("How they spend their free hours", _time(made, cited)),
                  section("Questions these figures cannot settle", bullets(_questions(made)))]  # fmt: skip
    parts.append(section("How far to trust this", _limits(made)))
    return "\n\n".join(part for part in parts if part), cited.citations()


def opening(made: Plan) -> str:
    """What the brief was read as, in the brief's own words where it has them."""
    brief, market = made.brief, made.market
    about = clip(brief.words("business_description") or brief.words("industry"), 220)
    lines = [f"The brief describes {_quoted(about)}." if about else "The brief says little about the business."]
    if not made.match.known:
        kind = "business buyers" if market.is_business else "households"
        lines.append(f"**The analyst knows little of this market.** No archetype fits it, so what follows is about {kind} in "
                     "general: treat it as a frame for your own research, not as findings.")  # fmt: skip
    else:
        heard = f" (words that decided it: {listed(made.match.words[:5])})" if made.match.words else ""
        lines.append(f"It was read as **{lower_first(market.title)}**{heard}.")
    if made.match.secondary:
        lines.append(
            f"It also leans on **{lower_first(made.match.secondary.title)}**, so one segment comes from there."
        )
    if made.match.trade:
        lines.append(f"The buyers are {made.match.trade.trade}, so roles and examples come from that trade.")
    if brief.need:
        lines.append(f"The core need it names: {_quoted(brief.need)}.")
    return " ".join(lines)


def _quoted(text: str) -> str:
    return "“" + text.replace("“", "'").replace("”", "'").rstrip(".") + "”"


def _figures(made: Plan, cited: Sources, deep: bool) -> str:
    notes = list(made.market.facts if deep else made.market.facts[:SHALLOW_FACTS])
    if made.match.secondary:
        notes += list(made.match.secondary.facts[: 4 if deep else 2])
    seen = dict.fromkeys(notes)
    if not seen:
        return "No published figure in the data bears on this market directly. Nothing is claimed in its place."
    return bullets(f"{cited.stated(fact_id)}. {meaning}" for fact_id, meaning in seen)


def _people(made: Plan, cited: Sources) -> str:
    lines = [f"**{made.fill(part.seed.name)}**, {part.ages[0]} to {part.ages[1]}: {made.fill(part.seed.who)}."
             for part in made.parts]  # fmt: skip
    note = _age_note(made, cited)
    return bullets(lines) + (f"\n\n{note}" if note else "")


def _age_note(made: Plan, cited: Sources) -> str:
    """How common the brief's ages are, where the tables know the country."""
    if made.market.is_business or not made.brief.ages:
        return ""
    low, high = made.brief.ages
    countries = list(dict.fromkeys(place.country for place in made.brief.places)) or ["US"]
    lines = []
    for country in countries[:3]:
        found = sizing.persons_share({"EU": "EU27"}.get(country, country), low, high)
        if found is not None:
            mark = cited.mark(
                "S08", f"People aged {low} to {high}: {found:.1f}% of the population, {country}, 2025 projection"
            )
            lines.append(
                f"People aged {low} to {high} are about {found:.0f}% of the population of {_the(country)} {mark}."
            )
    return " ".join(lines)


def _the(country: str) -> str:
    names = {"US": "the United States", "UK": "the United Kingdom", "EU": "the European Union"}
    return names.get(country, country)


def _wants(made: Plan) -> str:
    market = made.market
    return (f"**They want to** {listed([lower_first(n) for n in market.needs])}.\n\n"
            f"**What wears them down:** {listed([lower_first(made.fill(p)) for p in market.pains])}.\n\n"
            "**What they say when they do not buy:**\n" + bullets(f"“{made.fill(o)}”" for o in market.objections)
            + f"\n\n**What they hold dear:** {listed([lower_first(v) for v in market.values])}.")  # fmt: skip


def _spend_line(made: Plan, cited: Sources) -> str:
    """What an average household spends in the market's first category."""
    if made.market.is_business or not made.market.spend:
        return ""
    category = made.market.spend[0]
    amount = sizing.spend(category)
    if not amount:
        return ""
    mark = cited.mark("S20", f"{category}: ${amount:,.0f} a year, mean of all US households, 2024")
    return (f" The average US household spent {money(amount)} on {lower_first(category)} in 2024, buyers and non-buyers "
            f"together (US Bureau of Labor Statistics) {mark}.")  # fmt: skip


def _channels(made: Plan, cited: Sources) -> str:
    text = f"The places that count in this market: {listed([lower_first(c) for c in made.market.channels])}."
    extra = ("F0030", "F0033") if made.market.is_business else _by_age(made)
    return text + "\n\n" + bullets(cited.stated(fact_id) for fact_id in extra)


def _by_age(made: Plan) -> tuple[str, ...]:
    if any(place.country == "UK" for place in made.brief.places):
        return ("F0515", "F0516")
    low, high = made.brief.ages or (18, 80)
    chosen = [fact for fact, wanted in (("F0007", low < 27), ("F0022", low < 27), ("F0010", low < 48 and high > 32),
              ("F0032", low < 48 and high > 32), ("F0002", high > 50), ("F0017", high > 66)) if wanted]  # fmt: skip
    return tuple(chosen[:4]) or ("F0001", "F0002")


def _spending_table(made: Plan, cited: Sources) -> str:
    if made.market.is_business or not made.market.spend:
        return "Household spending does not bear on business buyers, and no table of business spending is in the data."
    category = made.market.spend[0]
    blocks = []
    for dimension, source, head in (("age_of_reference_person", "S20", "Age of householder"),
                                    ("household_income_band", "S22", "Household income")):  # fmt: skip
        rows = sizing.spend_by(category, dimension)
        if rows:
            mark = cited.mark(source, f"{category} by {head.lower()}, US households, 2024")
            table = "\n".join(f"| {group} | {money(amount)} |" for group, amount in rows)
            blocks.append(f"| {head} | {category}, a year {mark} |\n| --- | --- |\n{table}")
    return "\n\n".join(blocks) + "\n\nMeans over all US households in the group, buyers or not, 2024."


def _time(made: Plan, cited: Sources) -> str:
    rows = sizing.leisure(*(made.brief.ages or (25, 64)))
    if not rows:
        return ""
    mark = cited.mark("S09", "Hours of leisure a day by age, American Time Use Survey, 2023 or 2024")
    return bullets(f"Ages {group}: {hours['Watching TV']:.1f} hours of television a day, {hours['Reading']:.1f} of reading, "
                   f"{hours['Socializing and communicating']:.1f} of company {mark}." for group, hours in rows)  # fmt: skip


def _questions(made: Plan) -> list[str]:
    first = made.parts[0].seed
    return [f"How large is the group called {made.fill(first.name)} among your own customers? Count them by postcode and "
            "first order.",
            f"Which objection costs you most: “{made.market.objections[0]}” or “{made.market.objections[-1]}”? Ask ten people "
            "who looked and did not buy.",
            "What did the last five buyers use before, and what made them look that week?",
            f"Would {lower_first(made.fill(first.goals[0]))} still matter if the price rose by a tenth?"]  # fmt: skip


def _limits(made: Plan) -> str:
    old = sum(1 for fact_id, _ in made.market.facts if (published()[fact_id].year or "2000") < "2020")
    lines = ["Figures carry their publisher, year and population; those from vendors flatter what the vendor sells.",
             "Needs, objections and habits are the analyst's knowledge of the market: assumptions to test, not survey results.",
             f"Segment percentages are {sizing_note(made.market)}."]  # fmt: skip
    if old:
        lines.append(f"{old} of the figures on this market {'is' if old == 1 else 'are'} from before 2020 or undated.")
    abroad = [p.country for p in made.brief.places if p.country != "US"]
    if abroad:
        lines.append("Most figures are American. For the place in the brief they show direction, not size.")
    return bullets(lines)
