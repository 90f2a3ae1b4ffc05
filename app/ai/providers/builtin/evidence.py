"""What each field of a persona rests on: a published figure, the brief, or nothing but invention."""

from __future__ import annotations

from dataclasses import dataclass

from app.ai.providers.builtin import sizing
from app.ai.providers.builtin.audience import Part, Plan
from app.ai.providers.builtin.cite import about, figure, publisher
from app.ai.providers.builtin.knowledge import Fact, Occupation, facts, sources
from app.ai.providers.builtin.people import ENGLISH_ABROAD, Person, birth_decade

INFERRED, INVENTED = "inferred", "invented"


@dataclass(frozen=True)
class Evidence:
    kind: str
    basis: str
    url: str = ""


_SOCIAL = (
    (30, (("Instagram", "F0022"), ("TikTok", "F0007"), ("YouTube", "F0009"))),
    (50, (("YouTube", "F0010"), ("Facebook groups", "F0032"))),
    (65, (("Facebook groups", "F0002"), ("YouTube", "F0001"))),
    (200, (("YouTube", "F0017"), ("Facebook", "F0037"))),
)


def social_channels(business: bool, age: int) -> list[tuple[str, str]]:
    """Networks people of this age use, most used first, with the fact that says so."""
    if business:
        return [("LinkedIn", "F0030" if 30 <= age < 50 else "F0033"), ("YouTube demos", "F0001")]
    return list(next(rows for end, rows in _SOCIAL if age < end))


def evidence_of(made: Plan, part: Part, person: Person) -> dict[str, Evidence]:
    brief = made.brief
    market = part.market.title
    segment = Evidence(INFERRED, f"Typical of the segment in the analyst's knowledge of {market.lower()}: an assumption "
                                 "to test, not a survey result")  # fmt: skip
    return {
        "name": _name(person),
        "age": Evidence(INFERRED, f"Within {_ages_said(made, part)}; the exact age is an assumption"),
        "gender": _gender(part, person),
        "occupation": _occupation(person),
        "income": _income(made, person),
        "education": _education(person),
        "location": Evidence(INFERRED if brief.places else INVENTED, _location(made)),
        "interests": Evidence(INVENTED, "Colour: pastimes that go with the market and the time of life"),
        "goals": Evidence(INFERRED, f"The brief's core need: {brief.need}" if brief.need else segment.basis),
        "pain_points": _market_fact(part, segment),
        "behaviors": Evidence(INVENTED if person.home.text else INFERRED,
                              "Household details are invented; the rest is the analyst's reading of the segment"
                              if person.home.text else segment.basis),
        "values": segment,
        "preferred_channels": _channel(part, person),
        "purchasing_habits": _spending(made, part, person) or segment,
        "quote": Evidence(INVENTED, "Written by the analyst from the segment's main worry; nobody said it"),
    }  # fmt: skip


def _from(fact: Fact) -> Evidence:
    return Evidence(INFERRED, f"{fact.claim}: {figure(fact)} ({about(fact)})", sources()[fact.source_id].url)


def _name(person: Person) -> Evidence:
    if person.place.country not in ("US", "", *ENGLISH_ABROAD):
        return Evidence(INVENTED, f"Invented from names common in {person.place.country}; no published list was used")
    return Evidence(INVENTED, f"Invented from first names of US births of the {birth_decade(person.age)} (US Social "
                              "Security Administration) and surnames of the 2020 Census", sources()["S06"].url)  # fmt: skip


def _ages_said(made: Plan, part: Part) -> str:
    low, high = part.ages
    if made.brief.ages:
        return (
            f"the brief's age range ({made.brief.ages[0]} to {made.brief.ages[1]}) and the segment's ({low} to {high})"
        )
    return f"the segment's usual ages ({low} to {high})"


def _gender(part: Part, person: Person) -> Evidence:
    job = person.role.occupation
    if part.seed.women is not None:
        return Evidence(INFERRED, f"Assumption: {part.seed.women:.0f}% of this segment are women")
    if job.women is None:
        return Evidence(INVENTED, "Drawn evenly: no share of women is published for the job")
    return Evidence(INFERRED, f"{job.women:.0f}% of {_plural(job)} were women in 2022 ({publisher(sources()['S03'])})",
                    sources()["S03"].url)  # fmt: skip


def _plural(job: Occupation) -> str:
    first = job.title.split(" ")[0]
    return job.title if first.isupper() else job.title[:1].lower() + job.title[1:]


def _occupation(person: Person) -> Evidence:
    job = person.role.occupation
    return Evidence(INFERRED, f"A job usual in the segment (assumption); {job.jobs:,} US jobs in 2024 among "
                              f"{_plural(job)} ({publisher(sources()[job.source_id])})",
                    sources()[job.source_id].url)  # fmt: skip


def _income(made: Plan, person: Person) -> Evidence:
    pay = made.brief.pay
    if pay and pay.currency not in ("", "$"):
        return Evidence(INFERRED, f"Within the band the brief gives ({pay.said}), higher with age: an assumption, as pay by "
                                  "job in this currency is not in the data")  # fmt: skip
    job, abroad = person.role.occupation, person.place.country not in ("US", "")
    note = "; a US figure, as pay by job for this country is not in the data" if abroad else ""
    if made.brief.pay:
        note += f"; held to the brief's income level ({made.brief.pay.said})"
    if person.retired:
        group = sizing.age_group(person.age)
        mean = sizing.spend("Income before taxes", group=group)
        return Evidence(INFERRED, f"Household income: the mean before taxes was ${mean:,.0f} for US households headed by "
                                  f"someone of {group} in 2024 ({publisher(sources()['S20'])}){note}",
                        sources()["S20"].url)  # fmt: skip
    part_time = f", of which about {person.role.worked_share:.0%} for part-time work (assumption)" \
        if person.role.worked_share < 1 else ""  # fmt: skip
    whose = "Household income (own pay plus an assumed second pay)" if person.household_pay else "Own pay"
    return Evidence(INFERRED, f"{whose}: {_plural(job)} earned {_wage_range(job)} a year in May {job.wage_year} "
                              f"({publisher(sources()[job.source_id])}){part_time}{note}",
                    sources()[job.source_id].url)  # fmt: skip


def _wage_range(job: Occupation) -> str:
    if job.p10 and job.p90:
        return f"${job.p10:,} to ${job.p90:,} (10th to 90th percentile), median ${job.median:,},"
    return f"a median of ${job.median:,}"


def _education(person: Person) -> Evidence:
    job = person.role.occupation
    asked = job.education if "How to Become" not in job.education else "entry requirements that vary"
    return Evidence(INFERRED, f"Usual entry to {_plural(job)}: {asked} ({publisher(sources()[job.source_id])})",
                    sources()[job.source_id].url)  # fmt: skip


def _location(made: Plan) -> str:
    said = made.brief.words("location")
    return f"In the location the brief gives ({said[:80]}); the town is an example" if said \
        else "The brief names no place: an ordinary US town"  # fmt: skip


def _channel(part: Part, person: Person) -> Evidence:
    rows = social_channels(part.market.is_business, person.age)
    return _from(facts()[rows[min(person.index % 2, len(rows) - 1)][1]])


def _market_fact(part: Part, segment: Evidence) -> Evidence:
    """The market's leading figure stands behind a worry only in part, and the basis says so."""
    if not part.market.facts:
        return segment
    found = _from(facts()[part.market.facts[0][0]])
    return Evidence(INFERRED, f"{segment.basis}. The market's leading figure: {found.basis}", found.url)


def _spending(made: Plan, part: Part, person: Person) -> Evidence | None:
    """What households of this age spend a year in the market's first category."""
    if part.market.is_business or not part.market.spend:
        return None
    category, group = part.market.spend[0], sizing.age_group(person.age)
    amount = sizing.spend(category, group=group)
    if not amount:
        return None
    return Evidence(INFERRED, f"US households headed by someone of {group} spent ${amount:,.0f} on {category.lower()} in "
                              f"2024 on average, buyers or not ({publisher(sources()['S20'])})", sources()["S20"].url)  # fmt: skip
