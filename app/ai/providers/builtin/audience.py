"""Planning an audience: which kinds of buyer a brief speaks of, within its ages and income, and how large each is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from app.ai.providers.builtin import sizing
from app.ai.providers.builtin.brief import Brief
from app.ai.providers.builtin.knowledge import Market, Role, Seed, markets, role, tier_roles
from app.ai.providers.builtin.matching import Match, match

MOST, LEAST = 4, 3
LOWEST_PAY, HIGHEST_PAY = 0, 10_000_000


@dataclass(frozen=True)
class Part:
    """A segment as planned: its seed, narrowed to the brief, and its share of the audience."""

    seed: Seed
    market: Market
    ages: tuple[int, int]
    roles: tuple[Role, ...]
    percentage: int


@dataclass(frozen=True)
class Plan:
    brief: Brief
    match: Match
    parts: tuple[Part, ...]

    @property
    def market(self) -> Market:
        return self.match.primary

    @property
    def base(self) -> str:
        """What people are drawn by: the business and its market, so that other edits leave them as they are."""
        return f"{self.brief.words('name').lower()}|{self.market.key}"

    def fill(self, text: str) -> str:
        """The text with its {trade} and {offer} put in."""
        trade = self.match.trade.trade if self.match.trade else "small local businesses"
        return text.replace("{trade}", trade).replace("{offer}", self.market.offer)


def plan(brief: Brief) -> Plan:
    """Three or four segments with whole percentages that add up to 100."""
    found = match(brief)
    chosen = _choose(brief, found)
    weights = [_weight(brief, seed, market) for seed, market in chosen]
    sizes = sizing.whole_percentages(weights, least=8)
    parts = [Part(seed, market, ages_within(brief, seed), _roles(brief, found, seed, market), size)
             for (seed, market), size in zip(chosen, sizes, strict=True)]  # fmt: skip
    return Plan(brief, found, tuple(sorted(parts, key=lambda part: (-part.percentage, part.seed.key))))


def _choose(brief: Brief, found: Match) -> list[tuple[Seed, Market]]:
    """Seeds that fit the brief's ages and income; neighbours and general life stages fill a gap."""
    own = [(seed, found.primary) for seed in found.primary.seeds]
    if found.secondary:
        own.append((max(found.secondary.seeds, key=lambda s: (_fit(brief, s), s.key)), found.secondary))
    fitting = [pair for pair in own if _fit(brief, pair[0]) >= 0.25]
    if len(fitting) < LEAST:
        general = markets()["general_business" if found.primary.is_business else "general_consumer"]
        alone = {seed.home for seed in found.primary.seeds} == {"single"}  # As in dating: no partners may slip in.
        spare = [pair for pair in own if pair not in fitting]
        spare += [(replace(s, home="single") if alone else s, general) for s in general.seeds]
        names = {seed.name for seed, _ in fitting}
        spare = [pair for pair in spare if pair[0].name not in names and _fit(brief, pair[0]) > 0]
        spare.sort(key=lambda pair: -_fit(brief, pair[0]))
        fitting += spare[: LEAST - len(fitting)]
    if len(fitting) < LEAST:
        fitting += [pair for pair in own if pair not in fitting][: LEAST - len(fitting)]
    if len(fitting) > MOST + 1 or (len(fitting) > MOST and not found.secondary):
        fitting = sorted(fitting, key=lambda pair: -_weight(brief, *pair))[:MOST]
    return fitting


def _fit(brief: Brief, seed: Seed) -> float:
    """From 0 to 1: how much of the seed's ages lies in the brief's, halved where the income is out of reach."""
    fit = 1.0
    if brief.ages:
        overlap = min(brief.ages[1], seed.ages[1]) - max(brief.ages[0], seed.ages[0]) + 1
        if overlap < 4:
            return 0.0
        fit = overlap / min(seed.ages[1] - seed.ages[0] + 1, brief.ages[1] - brief.ages[0] + 1)
    if brief.pay and (seed.pay[1] < brief.pay.low or seed.pay[0] > brief.pay.high * 1.6):
        fit *= 0.2
    return fit


def ages_within(brief: Brief, seed: Seed) -> tuple[int, int]:
    """The seed's ages inside the brief's; the brief's own where the two do not meet."""
    if not brief.ages:
        return seed.ages
    low, high = max(brief.ages[0], seed.ages[0]), min(brief.ages[1], seed.ages[1])
    return (low, high) if low <= high else brief.ages


def pay_limits(brief: Brief) -> tuple[int, int]:
    """A person's own yearly pay as the brief bounds it; a household sum may be earned by two."""
    if not brief.pay or brief.pay.currency not in ("", "$", "£", "€"):
        return LOWEST_PAY, HIGHEST_PAY
    return (int(brief.pay.low * 0.55) if brief.pay.household else brief.pay.low), brief.pay.high


def pay_range(held: Role) -> tuple[int, int]:
    """What the job pays from the 10th to the 90th percentile; near the median where those are not published."""
    job = held.occupation
    low, high = job.p10 or round(job.median * 0.85), job.p90 or round(job.median * 1.2)
    return int(low * held.worked_share), int(high * held.worked_share)


def affords(held: Role, limits: tuple[int, int]) -> bool:
    low, high = pay_range(held)
    return low <= limits[1] and high >= limits[0]


def _roles(brief: Brief, found: Match, seed: Seed, market: Market) -> tuple[Role, ...]:
    """Jobs of the segment that the brief's ages and income allow, with ordinary jobs of that pay to fall back on."""
    names: Iterable[str] = seed.work
    if market.is_business and found.trade and found.trade.operators:
        names = (*found.trade.operators, *(n for n in seed.work if n == "business_owner")) if _owns(seed) else seed.work
    limits, oldest = pay_limits(brief), ages_within(brief, seed)[1]
    fitting = tuple(r for r in map(role, names) if affords(r, limits) and r.youngest <= oldest)
    if fitting:
        return fitting
    tier = "low" if limits[1] < 50_000 else "high" if limits[0] > 85_000 else "middle"
    spare = tuple(r for r in map(role, tier_roles(tier)) if affords(r, limits) and r.youngest <= oldest)
    return spare or tuple(r for r in map(role, seed.work) if r.youngest <= oldest) or (role("customer_service"),)


def _owns(seed: Seed) -> bool:
    return bool(re.search(r"\b(owner|founder|operator)", seed.name.lower()))


def _weight(brief: Brief, seed: Seed, market: Market) -> float:
    """How large a segment is against the others; see `sizing_note` for what goes in."""
    echo = 1.0 + 0.35 * min(3, _echoes(brief, seed))
    if market.is_business:
        jobs = sum({r.occupation.title: r.occupation.jobs for r in map(role, seed.work)}.values())
        return seed.weight * echo * float(max(jobs, 10_000)) ** 0.25
    low, high = ages_within(brief, seed)
    pay = seed.pay
    if brief.pay:
        pay = (max(pay[0], brief.pay.low), min(pay[1], max(brief.pay.high, brief.pay.low + 1)))
    parts = (max(1.0, sizing.age_share(low, high)), max(1.0, sizing.income_share(*pay)),
             max(1.0, sizing.home_share(seed.home)), sizing.area_share(seed.area))  # fmt: skip
    product = 1.0
    for part in parts:
        product *= part / 100
    return seed.weight * echo * product**0.4


def _echoes(brief: Brief, seed: Seed) -> int:
    """How many of the brief's own words about its customers the segment answers to."""
    said = set(re.findall(r"[a-z]{4,}", (brief.words("customers") + " " + brief.words("additional_info")).lower()))
    mine = set(re.findall(r"[a-z]{4,}", f"{seed.name} {seed.who} {' '.join(seed.traits)}".lower()))
    said -= {"with", "that", "from", "their", "they", "people", "customers", "buyers", "consumers", "want", "need"}
    return len({w.rstrip("s") for w in said} & {w.rstrip("s") for w in mine})


def sizing_note(market: Market) -> str:
    """Where the percentages come from, in words for the reader."""
    if market.is_business:
        return ("estimated from the number of US jobs in each segment's deciding occupations (BLS, 2024), damped so "
                "that large occupations do not drown small ones, times an assumed nearness to the offer")  # fmt: skip
    return ("estimated from US household shares by age, income, household type and area (BLS Consumer Expenditure "
            "Surveys, 2024), multiplied, damped because those traits overlap, and times an assumed nearness to the "
            "offer")  # fmt: skip


def size_basis(market: Market) -> str:
    """The same in a few words, for a segment's own description."""
    if market.is_business:
        return "an estimate from US job counts (BLS, 2024) and an assumed nearness to the offer"
    return "an estimate from US household shares (BLS, 2024) and an assumed nearness to the offer"


def firms(made: Plan, part: Part) -> list[str]:
    """Workplaces to imagine the segment in; of the trade the brief serves, where it names one."""
    trade = made.match.trade
    if not trade or not part.market.is_business:
        return list(part.seed.firms)
    heads = [found[0] for firm in part.seed.firms if (found := re.match(r"an? [\d,]+-person", firm))]
    return [f"{head} business ({trade.trade})" for head in heads] or list(part.seed.firms)


def part_for(made: Plan, name: str, about: str) -> Part:
    """The planned part a segment stands for: by its name, else by the words it shares, as when it was edited."""
    for part in made.parts:
        if made.fill(part.seed.name).lower() == name.strip().lower():
            return part
    words = set(re.findall(r"[a-z]{4,}", f"{name} {about}".lower()))
    pool = list(made.parts) + [
        Part(s, made.market, ages_within(made.brief, s), _roles(made.brief, made.match, s, made.market), 0)
        for s in made.market.seeds if s.key not in {p.seed.key for p in made.parts}
    ]  # fmt: skip

    def shared(part: Part) -> int:
        return len(words & set(re.findall(r"[a-z]{4,}", f"{part.seed.name} {part.seed.who}".lower())))

    best = max(pool, key=shared)
    fresh = replace(best.seed, key=f"{best.seed.key}/{name.strip().lower()[:80]}")
    return replace(best, seed=fresh)
