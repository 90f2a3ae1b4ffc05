"""What a panel's replies add up to: plain counting over saved replies, so the same replies give the same report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.insights.models import AudienceSegment, PanelReply
from app.insights.services.simulation_texts import Grouped, advice_in, count_themes, group

STANCES = (1, 2, 3, 4, 5)
STANCE_WORDS = {1: "Strongly against", 2: "Against", 3: "Undecided", 4: "For", 5: "Strongly for"}
FOR, AGAINST = 4, 2
LONGEST_LIST = 12


@dataclass(frozen=True)
class Usage:
    """What a run has taken so far. `cost_micros` is None when the price of any answer is not known."""

    input_tokens: int
    output_tokens: int
    cost_micros: int | None
    latency_ms: int
    models: list[tuple[str, str]]


def usage_of(replies: Sequence[PanelReply]) -> Usage:
    answered = [reply for reply in replies if reply.provider]
    costs = [reply.cost_micros for reply in answered]
    known = [cost for cost in costs if cost is not None]
    return Usage(
        sum(reply.input_tokens for reply in answered),
        sum(reply.output_tokens for reply in answered),
        sum(known) if len(known) == len(costs) else None,
        sum(reply.latency_ms for reply in answered),
        list(dict.fromkeys((reply.provider, reply.model) for reply in answered)),
    )


def build(replies: Sequence[PanelReply], segments: Sequence[AudienceSegment], asked: int) -> dict[str, Any]:
    """The report as plain JSON. Holds no times and no costs: those differ between runs with the same seed."""
    answered = sorted((r for r in replies if r.stance is not None), key=lambda r: (r.persona_id or 0, r.id))
    failed = sum(1 for r in replies if r.error)
    parts = _by_segment(answered, segments)
    stances = [r.stance for r in answered if r.stance is not None]
    objections = [(r.persona_name, line) for r in answered for line in r.objections]
    themes = count_themes(objections)
    return {
        "asked": asked,
        "answered": len(answered),
        "failed": failed,
        "mean_stance": mean(stances),
        "distribution": distribution(stances),
        "lean_yes": sum(1 for s in stances if s >= FOR),
        "lean_no": sum(1 for s in stances if s <= AGAINST),
        "undecided": sum(1 for s in stances if AGAINST < s < FOR),
        "weighted": _weighted(parts),
        "segments": parts,
        "best_segment": _extreme(parts, best=True),
        "worst_segment": _extreme(parts, best=False),
        "reasons": _ranked(group((r.persona_name, line) for r in answered for line in r.reasons)),
        "objections": _ranked(group(objections)),
        "objection_themes": [{"theme": theme, "count": count} for theme, count in themes],
        "changes": _ranked(group((r.persona_name, line) for r in answered for line in advice_in(r.would_change))),
        "quotes": [_quote(r) for r in answered],
        "headline": headline(stances, objections, themes),
    }


def mean(stances: Sequence[int]) -> float | None:
    """To two places; None of nothing."""
    return round(sum(stances) / len(stances), 2) if stances else None


def distribution(stances: Sequence[int]) -> dict[str, int]:
    """How many gave each answer, 1 to 5, as JSON keys."""
    return {str(stance): list(stances).count(stance) for stance in STANCES}


def _by_segment(answered: Sequence[PanelReply], segments: Sequence[AudienceSegment]) -> list[dict[str, Any]]:
    """One entry for each segment someone answered for, in the audience's order; a deleted segment keeps its name."""
    order = {segment.id: n for n, segment in enumerate(segments)}
    sizes = {segment.id: segment.size_percentage for segment in segments}
    found: dict[tuple[int, str], list[PanelReply]] = {}
    for reply in answered:
        found.setdefault((reply.segment_id or 0, reply.segment_name), []).append(reply)
    keys = sorted(found, key=lambda key: (order.get(key[0], len(order)), key))
    return [_segment_part(key, found[key], sizes.get(key[0])) for key in keys]


def _segment_part(key: tuple[int, str], replies: Sequence[PanelReply], size: int | None) -> dict[str, Any]:
    stances = [r.stance for r in replies if r.stance is not None]
    return {
        "segment_id": key[0] or None,
        "name": key[1],
        "size_percentage": size,
        "answered": len(stances),
        "mean_stance": mean(stances),
        "distribution": distribution(stances),
    }


def _weighted(parts: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The same figures with each segment counting by its share of the audience, None where a share is missing.

    The shares of the segments that answered are scaled to 100; inside a segment everyone counts the same.
    """
    total = sum(part["size_percentage"] or 0 for part in parts)
    if not parts or any(not part["size_percentage"] for part in parts):
        return None
    shares = [part["size_percentage"] / total for part in parts]
    spread = {
        key: round(100 * sum(w * p["distribution"][key] / p["answered"] for w, p in zip(shares, parts, strict=True)), 1)
        for key in map(str, STANCES)
    }
    average = sum(int(key) * percent for key, percent in spread.items()) / 100
    return {"by": "size_percentage", "mean_stance": round(average, 2), "percent": spread}


def _extreme(parts: Sequence[dict[str, Any]], *, best: bool) -> dict[str, Any] | None:
    """The segment most (least) in favour; None when there are not two that differ."""
    means = [part["mean_stance"] for part in parts]
    if len(set(means)) < 2:
        return None
    wanted = max(means) if best else min(means)
    part = parts[means.index(wanted)]
    return {"segment_id": part["segment_id"], "name": part["name"], "mean_stance": wanted}


def _ranked(groups: Sequence[Grouped]) -> list[dict[str, Any]]:
    return [
        {"text": g.text, "count": g.count, "personas": g.speakers, "variants": [v for v in g.variants if v != g.text]}
        for g in groups[:LONGEST_LIST]
    ]


def _quote(reply: PanelReply) -> dict[str, Any]:
    return {
        "persona_id": reply.persona_id,
        "persona": reply.persona_name,
        "segment": reply.segment_name,
        "stance": reply.stance,
        "quote": reply.quote,
    }


@dataclass(frozen=True)
class Compared:
    """One figure in two runs; None where a run has none."""

    name: str
    before: float | None
    after: float | None

    @property
    def delta(self) -> float | None:
        return None if self.before is None or self.after is None else round(self.after - self.before, 2)


def compare_parts(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[Compared]:
    """Mean stance of everyone, then of each segment of either run."""
    old, new = before or {}, after or {}
    means = [{p["name"]: p["mean_stance"] for p in results.get("segments", [])} for results in (old, new)]
    names = dict.fromkeys([*means[0], *means[1]])
    everyone = Compared("Everyone", old.get("mean_stance"), new.get("mean_stance"))
    return [everyone, *(Compared(name, means[0].get(name), means[1].get(name)) for name in names)]


def compare_themes(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[Compared]:
    """How many raised each objection, in both runs, the most raised first."""
    counts = [{t["theme"]: t["count"] for t in (r or {}).get("objection_themes", [])} for r in (before, after)]
    rows = [Compared(t, counts[0].get(t, 0), counts[1].get(t, 0)) for t in dict.fromkeys([*counts[0], *counts[1]])]
    return sorted(rows, key=lambda row: -((row.before or 0) + (row.after or 0)))


def headline(stances: Sequence[int], objections: Sequence[tuple[str, str]], themes: Sequence[tuple[str, int]]) -> str:
    """One sentence: which way the panel leans, and what stands first in its way."""
    if not stances:
        return "Nobody could answer."
    return f"{_lean(stances)}; {_first_objection(objections, themes)}."


def _lean(stances: Sequence[int]) -> str:
    asked = len(stances)
    yes, no = sum(1 for s in stances if s >= FOR), sum(1 for s in stances if s <= AGAINST)
    if yes == no == 0:
        return "The one asked is undecided" if asked == 1 else f"All {asked} are undecided"
    if yes == no:
        return f"{yes} of {asked} lean yes and as many lean no"
    count, word = (yes, "yes") if yes > no else (no, "no")
    verb = "leans" if count == 1 else "lean"
    return f"{count} of {asked} {verb} {word}"


def _first_objection(objections: Sequence[tuple[str, str]], themes: Sequence[tuple[str, int]]) -> str:
    if not objections:
        return "nobody objects"
    if themes:
        return f"{themes[0][0]} is the first objection"
    return f"the first objection is “{group(objections)[0].text.rstrip('.')}”"
