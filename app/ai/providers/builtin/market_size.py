"""The total addressable market: real households or jobs, step by step, or a plain statement that it cannot be known."""

from __future__ import annotations

from dataclasses import dataclass

from app.ai.providers.builtin import sizing
from app.ai.providers.builtin.audience import Plan
from app.ai.providers.builtin.cite import Sources, figure
from app.ai.providers.builtin.knowledge import facts, role
from app.ai.providers.builtin.prose import bullets, listed, lower_first


@dataclass(frozen=True)
class Step:
    """One factor of the sum: what it is, its figure, and the source it is cited from."""

    text: str
    source_id: str
    detail: str


def arithmetic(made: Plan, cited: Sources) -> str:
    """The steps with their marks, and what they come to."""
    steps, outcome = _steps(made)
    return bullets(f"{step.text} {cited.mark(step.source_id, step.detail)}" for step in steps) + f"\n\n{outcome}"


def in_words(made: Plan) -> str:
    """The same as one paragraph without marks, for a field of its own."""
    steps, outcome = _steps(made)
    return " ".join([outcome.replace("**", ""), "How: " + "; ".join(lower_first(step.text) for step in steps) + "."])


def _steps(made: Plan) -> tuple[list[Step], str]:
    if made.market.is_business:
        return _business(made)
    countries = {place.country for place in made.brief.places} or {"US"}
    return _households(made) if countries == {"US"} else _abroad(made, countries)


def _households(made: Plan) -> tuple[list[Step], str]:
    """US households in the brief's ages and income, those who buy in the category, and what they spend."""
    brief, market = made.brief, made.market
    count = sizing.households_millions()
    steps = [Step(f"{count:.2f} million US households (2024)", "S301", "Consumer units: 135,760 thousand, 2024")]
    if brief.ages:
        part = round(sizing.age_share(*brief.ages), 1)  # The sum must come out of the figures as shown.
        count *= part / 100
        steps.append(Step(f"× {part:.1f}% headed by someone of {brief.ages[0]} to {brief.ages[1]}", "S20",
                          f"Households by age of reference person: {part:.1f}%"))  # fmt: skip
    if brief.pay:
        part = round(sizing.income_share(brief.pay.low, brief.pay.high), 1)
        count *= part / 100
        steps.append(Step(f"× {part:.1f}% with household income of {_band(brief.pay.low, brief.pay.high)}", "S22",
                          f"Households by income band: {part:.1f}%"))  # fmt: skip
    if market.reach:
        fact = facts()[market.reach]
        count *= fact.number / 100
        steps.append(Step(f"× {figure(fact)}: {lower_first(fact.claim)} ({fact.population}, {fact.year})", fact.source_id,
                          f"{fact.claim}: {figure(fact)}"))  # fmt: skip
    return _with_spending(made, steps, count)


def _band(low: int, high: int) -> str:
    return f"${low:,} or more" if high >= 400_000 else f"${low:,} to ${high:,}"


def _with_spending(made: Plan, steps: list[Step], count: float) -> tuple[list[Step], str]:
    who = "giving households" if made.market.kind == "donor" else "households"
    reached = f"**About {_millions(count)} US {who}**"
    held = ", assuming the shares are independent of one another" if len(steps) > 2 else ""
    place = _narrower(made)
    if not made.market.spend:
        return steps, f"{reached}{held}. What they spend on this is not in the data, so no sum is given.{place}"
    category = made.market.spend[0]
    ages = made.brief.ages or (18, 90)
    amount = round(sizing.mean_spend(category, *ages))
    steps.append(Step(f"× ${amount:,.0f} a year on {lower_first(category)} per household{' of these ages' if made.brief.ages else ''}", "S20",
                      f"{category}: ${amount:,.0f} a year per household, 2024"))  # fmt: skip
    total = count * amount / 1000
    return steps, (f"{reached}, spending **about ${total:,.1f} billion a year** on {lower_first(category)}{held}. The category "
                   f"is wider than {made.market.offer}: take it as a ceiling.{place}")  # fmt: skip


def _narrower(made: Plan) -> str:
    said = made.brief.words("location")
    broad = len({p.label.split(", ")[-1] for p in made.brief.places}) > 5
    if not said or broad:
        return ""
    return (f" The sum is for the whole United States; the data hold no household count for {said[:60]}, so scale it by "
            "the number of households in reach of you.")  # fmt: skip


def _abroad(made: Plan, countries: set[str]) -> tuple[list[Step], str]:
    """Outside the US: shares of people where the UN tables have them, and a UK household count; no spending."""
    steps: list[Step] = []
    ages = made.brief.ages or (18, 90)
    if countries <= {"UK"}:
        steps.append(Step("28.4 million UK households (2023)", "S304", "Households in the UK: 28.4 million, 2023"))
    for country in sorted(countries):
        found = sizing.persons_share({"EU": "EU27"}.get(country, country), *ages)
        if found is not None:
            steps.append(Step(f"{found:.1f}% of people in {country} are {ages[0]} to {ages[1]} (2025 projection)", "S08",
                              f"Aged {ages[0]} to {ages[1]}: {found:.1f}% of people, {country}"))  # fmt: skip
    named = listed(sorted(c for c in countries if c)) or made.brief.words("location")[:60]
    return steps, (f"**A sum of money cannot be known from the data**: they hold no income or spending tables for {named}. "
                   "Ask the national statistics office for households by income and for spending in your category, and "
                   "multiply them as above.")  # fmt: skip


def _business(made: Plan) -> tuple[list[Step], str]:
    """Business buyers: jobs in the deciding occupations, and US small firms as the outer limit."""
    jobs = {r.occupation.title: r.occupation for part in made.parts for r in map(role, part.seed.work)}
    top = sorted(jobs.values(), key=lambda job: -job.jobs)[:4]
    steps = [Step("34.75 million US small businesses, with or without employees (2024)", "S302",
                  "34,752,434 small businesses, 2024"),
             Step("of which about 6 million had paid employees (2017, the latest at hand)", "S303",
                  "6 million small employer firms, 2017")]  # fmt: skip
    steps += [Step(f"{job.jobs:,} US jobs among {lower_first(job.title)} (2024)", "S01", f"{job.title}: {job.jobs:,} jobs, 2024")
              for job in top]  # fmt: skip
    trade = f" The data do not count {made.match.trade.trade}." if made.match.trade else ""
    return steps, ("**Several million firms at the very most; the serviceable number cannot be known from the data**, which "
                   f"do not count firms by trade and size.{trade} Multiply the firms of your size in reach (county business "
                   "patterns or a trade register) by your yearly price; the job counts show how many people hold the deciding "
                   "roles.")  # fmt: skip


def _millions(count: float) -> str:
    return f"{count:.1f} million" if count >= 1 else f"{count * 1000:,.0f} thousand"
