"""A condition tried out while it is written: how many, how many for each part, whom one may reach, a few of them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.cdp.models import Channel, ConsentValue
from app.cdp.queries import segment_pages
from app.cdp.services import evaluation
from app.cdp.services.conditions import Group, Node, words
from app.cdp.services.conditions.people import ConsentIs, stored_members
from app.cdp.services.engine.context import Context
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.segment_rules import read_conditions

REACH = (Channel.EMAIL, Channel.ADS, Channel.SMS, Channel.WHATSAPP)
ENOUGH_MS = 200  # parts that cost a scan are not counted alone once the whole took so long
SAMPLE = 5


@dataclass(frozen=True)
class Reach:
    """How many of a set agreed to each channel, and how many to none of them."""

    channels: dict[str, int]
    unreached: int


@dataclass(frozen=True)
class Preview:
    count: int
    total: int
    took_ms: int
    sentence: str
    nodes: dict[str, int]
    reach: Reach
    sample: list[int]


def preview(raw: Any, *, segment_id: int | None = None, seed: int = 0, people: int = SAMPLE) -> Preview:
    """Who the condition, of this segment or a new one, holds for now; ValidationFailed names the node that is wrong."""
    tree = read_conditions(raw, segment_id)
    ctx = evaluation.context()
    started = time.perf_counter()
    found = tree.evaluate(ctx)
    took_ms = _since(started)
    nodes = {path: len(ids) for path, ids in _each(tree, ctx, started)}
    reach = _reach(ctx, found)
    evaluation.still_valid(ctx)
    return Preview(len(found), len(ctx.everyone), took_ms, told(tree), nodes, reach, _some(found, seed, people))


@dataclass(frozen=True)
class Now:
    """A segment as at its last refresh: how many are in it, of how many, and whom of them one may reach."""

    count: int
    total: int
    reach: Reach


def of_members(segment_id: int) -> Now:
    """The figures of a segment's stored members, those gone since left out."""
    ctx = evaluation.context()
    found = stored_members(ctx, segment_id) & ctx.everyone
    reach = _reach(ctx, found)
    evaluation.still_valid(ctx)
    return Now(len(found), len(ctx.everyone), reach)


def told(tree: Node, names: dict[int, str] | None = None) -> str:
    """The condition as a sentence: "Everyone who did purchase in the last 90 days."."""
    told = sentence(tree, names)
    if told.startswith("not: "):
        return f"Everyone but those for whom this holds: {told.removeprefix('not: ')}."
    opening = "for whom" if told.startswith("none of: ") else words.opening(told)
    return f"Everyone {opening} {told}.".replace("  ", " ", 1)


def sentence(tree: Node, names: dict[int, str] | None = None) -> str:
    """The condition in plain English, segments by their names: those given, or read when one is named."""
    told = tree.sentence()
    if "in segment " not in told:
        return told
    known = dict(segment_pages.names_by_id()) if names is None else names
    return re.sub(r"\bin segment ([0-9]+)\b", lambda m: f"in segment “{known.get(int(m[1]), m[1])}”", told)


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _each(node: Node, ctx: Context, started: float, path: str = "") -> Iterator[tuple[str, IdSet]]:
    """Every part taken alone, by its place: "1.0" is the first in the second."""
    is_quick = all(leaf.is_indexed(ctx) for leaf in node.leaves())
    if is_quick or _since(started) < ENOUGH_MS:
        yield path, node.evaluate(ctx)
    if isinstance(node, Group):
        for place, part in enumerate(node.parts):
            yield from _each(part, ctx, started, f"{path}.{place}".lstrip("."))


def _reach(ctx: Context, found: IdSet) -> Reach:
    agreed = {str(one): found & ConsentIs(one, ConsentValue.GRANTED).evaluate(ctx) for one in REACH}
    reached = IdSet.union_of(agreed.values())
    return Reach({channel: len(ids) for channel, ids in agreed.items()}, len(found) - len(reached))


def _some(found: IdSet, seed: int, people: int) -> list[int]:
    """A few by chance; the same seed gives the same while the set stays as it is."""
    ids = found.to_array()
    chosen = np.random.default_rng(seed).choice(len(ids), min(people, len(ids)), replace=False)
    return [int(one) for one in ids[np.sort(chosen)]]
