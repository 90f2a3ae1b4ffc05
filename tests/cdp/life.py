"""A workspace in which things happen, in whatever order, and what the index says of it."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck
from sqlalchemy import select

from app.cdp.models import ComputedTrait, Slice
from app.cdp.services import evaluation
from app.cdp.services.conditions import parse
from app.cdp.services.engine.columns import Column
from app.cdp.services.folding_people import TRAITS, fixed_measures
from app.core.db import db, unit_of_work
from tests.cdp.condition_strategies import COMPUTED
from tests.cdp.factory import TODAY, People, at, fold

QUIET = [
    HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
]


class Life:
    """A workspace of its own, and what happens in it."""

    def __init__(self) -> None:
        self.people = People()
        self.today = TODAY - 3
        self.ids = [
            self.people.add(email=f"m{n}@x.com" if n % 2 else "", first_seen_at=at(TODAY - n))[0] for n in range(7)
        ]
        self.merged: dict[int, int] = {}
        self.erased: set[int] = set()
        self.identified: set[tuple[int, str]] = set()
        with unit_of_work():
            db.session.add_all(ComputedTrait(name=n, function=f, event=e, property=p) for n, f, e, p in COMPUTED)

    def is_there(self, number: int) -> bool:
        return number not in self.erased and number not in self.merged

    def do(self, deed: tuple[Any, ...]) -> None:
        kind, *rest = deed
        getattr(self, f"_{kind}")(*rest)

    def _events(self, rows: list[tuple[int, str, int, int, dict[str, Any]]]) -> None:
        there = [row for row in rows if self.is_there(row[0])]
        if there:
            self.people.events(
                (self.ids[n], name, at(self.today - back, late), given) for n, name, back, late, given in there
            )

    def _trait(self, number: int, traits: dict[str, Any]) -> None:
        if self.is_there(number):
            self.people.change(self.ids[number], traits=traits)

    def _lifecycle(self, number: int, stage: str) -> None:
        if self.is_there(number):
            self.people.change(self.ids[number], lifecycle=stage)

    def _consent(self, number: int, channel: str, state: str) -> None:
        if self.is_there(number):
            self.people.consent(self.ids[number], channel, state)

    def _identify(self, number: int, kind: str) -> None:
        if self.is_there(number) and (number, kind) not in self.identified:
            self.identified.add((number, kind))
            self.people.identify(self.ids[number], kind, f"{kind}-{number}")

    def _merge(self, loser: int, winner: int) -> None:
        if loser != winner and self.is_there(loser) and self.is_there(winner):
            self.merged[loser] = winner
            self.people.merge(self.ids[loser], self.ids[winner])

    def _split(self, number: int) -> None:
        winner = self.merged.get(number)
        if winner is not None and self.is_there(winner):
            del self.merged[number]
            self.people.split(self.ids[winner], self.ids[number])

    def _erase(self, number: int) -> None:
        if self.is_there(number):
            gone = {number}
            while more := {one for one, into in self.merged.items() if into in gone} - gone:
                gone |= more
            self.erased |= gone
            self.people.erase([self.ids[one] for one in gone])

    def _fold(self) -> None:
        fold()

    def _day(self) -> None:
        self.today += 1

    def _ask(self, raw: dict[str, Any]) -> None:
        fold()
        self.check(raw)

    def check(self, raw: dict[str, Any]) -> None:
        tree = parse(raw)
        found = list(evaluation.evaluate(tree, today=self.today))
        assert found == list(evaluation.reference(tree, today=self.today)), (raw, tree.sentence())
        narrowed = evaluation.evaluate_among(tree, self.ids[:4], today=self.today)
        assert list(narrowed) == [one for one in found if one in self.ids[:4]], (raw, "among a few")

    def index(self) -> dict[str, Any]:
        """All the index says, in a form that does not depend on how it came to be written."""
        ctx = evaluation.context(today=self.today)
        said: dict[str, Any] = {}
        measures = db.session.scalars(select(Slice.measure).where(Slice.tenant_id == ctx.tenant_id).distinct()).all()
        for measure in measures:
            if measure in fixed_measures() or measure[:2] in ("t:", "m:"):
                said[measure] = _column(Column(ctx.store, measure))
            elif measure[:2] == "e:":
                index = ctx.event(next(n for n in self.people.name_ids if ctx.name_id(n) == int(measure[2:])))
                said[measure] = sorted(
                    (batch.shard, int(one), int(time), int(day))
                    for batch in index.batches(evaluation.ALWAYS)
                    for one, time, day in zip(batch.ids, batch.times, batch.days, strict=True)
                )
                said[measure + "days"] = {
                    h.key: list(index.who(evaluation.one_day(int(h.key)), 0)) for h in ctx.store.heads(measure)
                }
        return {measure: value for measure, value in said.items() if value and measure != TRAITS}


def _column(column: Column) -> list[Any]:
    """Rows in force that say something."""
    rows = []
    for shard, arrays in column.newest(
        "kinds", *(["n", "total", "low", "last_day", "last_value"] if column.measure[0] == "m" else ["numbers"])
    ):
        names = [name for name in arrays if name != "ids"]
        for place in range(len(arrays["ids"])):
            if arrays["kinds"][place]:
                rows.append((shard, int(arrays["ids"][place]), *(str(arrays[name][place]) for name in names)))
    return sorted(rows)
