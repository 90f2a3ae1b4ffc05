"""Which text won: each variant's rates with their intervals, what the hold-out says, and a verdict in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.clock import utc_now
from app.core.formats import date as day_words
from app.core.formats import number
from app.messaging.models import Campaign, MessageState, Skip
from app.messaging.queries import campaigns as campaign_queries
from app.messaging.queries import responses
from app.messaging.queries.campaigns import Figures, Text
from app.messaging.queries.responses import HELD_OUT, LinkFigures, Responses
from app.messaging.services import campaigns, statistics
from app.messaging.services.statistics import Lift, Share

LEAST = 100  # people a text must have reached before anything is said of it
LEAST_DAYS = 7
GOAL, CLICKS, REPLIES = "goal", "clicks", "replies"
_DID = {GOAL: "did it", CLICKS: "followed a link", REPLIES: "answered"}


@dataclass(frozen=True)
class VariantFigures:
    """A text of a campaign. Rates are of `sent`, the people the provider took a message for; `goal` needs a goal."""

    variant_id: int
    label: str
    template_name: str
    content: str
    people: int
    sent: int
    delivered: int
    failed: int
    clicks: Share
    replies: Share
    opt_outs: Share
    goal: Share
    lift: Lift | None
    is_winner: bool = False


@dataclass(frozen=True)
class VariantReport:
    """`measure` is what the texts are compared by; `p` is corrected for the number of comparisons.

    `winner_id` is set once the test says so. `sentence` says it to people, and is empty where there is one text.
    """

    measure: str
    variants: list[VariantFigures]
    held_out: Share
    treated: Share
    lift: Lift | None
    winner_id: int | None
    leader_id: int | None
    p: float | None
    due_at: datetime | None
    sentence: str
    lift_sentence: str


@dataclass(frozen=True)
class _Verdict:
    sentence: str
    winner: VariantFigures | None = None
    leader: VariantFigures | None = None
    p: float | None = None


def link_report(campaign_id: int) -> list[LinkFigures]:
    """The campaign's links: people who followed each, and how often. Grows with the clicks."""
    return responses.links_of(campaigns.get(campaign_id).id)


def variant_report(campaign_id: int) -> VariantReport:
    """The report; some six statements. Grows with clicks, answers and goal events, not with who was written to."""
    campaign = campaigns.get(campaign_id)
    figures = campaign_queries.figures_of([campaign.id]).get(campaign.id, Figures())
    texts = campaign_queries.texts_of([campaign.id]).get(campaign.id, [])
    back = responses.responses_of(campaign)
    held_out = statistics.share(
        back.goals[HELD_OUT], figures.count((MessageState.SKIPPED,), reason=Skip.HOLDOUT) if campaign.goal_event else 0
    )
    rows = [_variant(text, figures.of_variant(text.variant.id), back, held_out) for text in texts]
    measure = _measure(campaign)
    due_at = _due_at(campaign, measure)
    verdict = _judge(rows, measure, _when_due(campaign, due_at))
    rows = [replace(row, is_winner=verdict.winner is not None and row.label == verdict.winner.label) for row in rows]
    treated = statistics.share(sum(row.goal.hits for row in rows), sum(row.sent for row in rows))
    lift = statistics.lift(treated, held_out)
    return VariantReport(
        measure, rows, held_out, treated, lift, _id(verdict.winner), _id(verdict.leader), verdict.p, due_at,
        verdict.sentence, _lift_sentence(campaign, treated, held_out, lift),
    )  # fmt: skip


def value_of(row: VariantFigures, measure: str) -> Share:
    """What a text is compared by."""
    return {GOAL: row.goal, CLICKS: row.clicks, REPLIES: row.replies}[measure]


def _variant(text: Text, figures: Figures, back: Responses, held_out: Share) -> VariantFigures:
    variant_id, sent = text.variant.id, figures.sent
    goal = statistics.share(back.goals[variant_id], sent)
    return VariantFigures(
        variant_id, text.variant.label, text.template.name, text.version.content, figures.wanted, sent,
        figures.delivered, figures.failed, statistics.share(back.clicks[variant_id], sent),
        statistics.share(back.replies[variant_id], sent), statistics.share(back.opt_outs[variant_id], sent), goal,
        statistics.lift(goal, held_out),
    )  # fmt: skip


def _measure(campaign: Campaign) -> str:
    """The goal where there is one, else links where there are any, else answers."""
    if campaign.goal_event:
        return GOAL
    return CLICKS if campaign.tracks_links and responses.has_links(campaign.id) else REPLIES


def _due_at(campaign: Campaign, measure: str) -> datetime | None:
    """When there is enough time behind it: seven days after the start, or the goal's days after the last message,
    which nobody knows while the campaign goes on."""
    if campaign.started_at is None:
        return None
    if measure == GOAL:
        return campaign.completed_at + timedelta(days=campaign.goal_days) if campaign.completed_at else None
    return campaign.started_at + timedelta(days=LEAST_DAYS)


def _when_due(campaign: Campaign, due_at: datetime | None) -> str:
    """When the answer is due, in words; nothing when it is."""
    if due_at is None:
        days = campaign.goal_days
        return f"{days} {'day' if days == 1 else 'days'} after the last message" if campaign.started_at else ""
    return f"on {day_words(due_at)}" if utc_now() < due_at else ""


def _judge(rows: Sequence[VariantFigures], measure: str, when_due: str) -> _Verdict:
    """The best against each other one: the winner where every difference is more than chance, all pairs counted.
    `when_due` says when the answer is due, and nothing once it is."""
    if len(rows) < 2:
        return _Verdict("")
    few = min(rows, key=lambda row: row.sent)
    if few.sent < LEAST:
        return _Verdict(f"Too few yet: each text needs {LEAST} people, and {few.label} has {number(few.sent)}.")
    ranked = sorted(rows, key=lambda row: -(value_of(row, measure).rate or 0.0))
    best, second = ranked[0], ranked[1]
    pairs = len(rows) * (len(rows) - 1) // 2
    p = max(
        statistics.corrected(statistics.two_sided_p(value_of(best, measure), value_of(row, measure)), pairs)
        for row in ranked[1:]
    )
    if value_of(best, measure).rate == value_of(second, measure).rate:
        return _Verdict(f"{best.label} and {second.label} are level: {_rates(best, second, measure)}.", p=p)
    ahead = f"{best.label} is ahead"
    if when_due:
        return _Verdict(
            f"{ahead} so far: {_rates(best, second, measure)}. The answer is due {when_due}.",
            leader=best, p=p,
        )  # fmt: skip
    if p >= statistics.ALPHA:
        return _Verdict(
            f"{ahead}, but the difference may be chance: {p_words(p)}. {_rates(best, second, measure)}.",
            leader=best, p=p,
        )  # fmt: skip
    return _Verdict(
        f"{best.label} won: {_rates(best, second, measure)}. Chance alone would hardly do that: {p_words(p)}.",
        winner=best, leader=best, p=p,
    )  # fmt: skip


def _rates(best: VariantFigures, second: VariantFigures, measure: str) -> str:
    first, other = value_of(best, measure), value_of(second, measure)
    return (
        f"{percent(first)} of {number(first.base)} {_DID[measure]} with {best.label}, "
        f"{percent(other)} of {number(other.base)} with {second.label}"
    )


def percent(value: Share) -> str:
    """`3.2 %`, or a dash for no base."""
    return "–" if value.rate is None else f"{value.rate * 100:.1f} %"


def p_words(p: float) -> str:
    """`p = 0.21`: two digits, and no more than can be meant."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.01 else f"p = {p:.2f}"


def _lift_sentence(campaign: Campaign, treated: Share, held_out: Share, lift: Lift | None) -> str:
    """What the campaign changed, by those who were kept out of it."""
    if not campaign.goal_event or campaign.holdout_percent <= 0 or lift is None:
        return ""
    compared = (
        f"{percent(treated)} of {number(treated.base)} written to did “{campaign.goal_event}”, "
        f"{percent(held_out)} of {number(held_out.base)} held out"
    )
    if min(treated.base, held_out.base) < LEAST:
        return f"{compared}. Too few to say what the campaign changed: each side needs {LEAST} people."
    span = f"{lift.low * 100:+.1f} to {lift.high * 100:+.1f} points"
    if lift.p >= statistics.ALPHA:
        return f"{compared}. The difference may be chance ({p_words(lift.p)}; {span})."
    word = "more" if lift.points > 0 else "fewer"
    return f"{compared}: the campaign made {abs(lift.points) * 100:.1f} points {word} do it ({span})."


def _id(row: VariantFigures | None) -> int | None:
    return row.variant_id if row else None
