"""Computed traits by name, and the measures they are read from."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.cdp.models import ComputedTrait, Measure
from app.cdp.services.engine.context import Context
from app.core.errors import ValidationFailed

traits: Table = ComputedTrait.__table__  # type: ignore[assignment]
measures: Table = Measure.__table__  # type: ignore[assignment]
FUNCTIONS = ("count", "sum", "avg", "min", "max", "first", "last", "most_frequent", "unique_count", "days_since")
FROM_ROWS = ("most_frequent", "unique_count")


@dataclass(frozen=True)
class Definition:
    """What a computed trait is. First and last without a property are the day of the event."""

    name: str
    function: str
    event: str
    property_name: str = ""

    @property
    def is_date(self) -> bool:
        return self.function in ("first", "last") and not self.property_name

    @property
    def is_zero_without(self) -> bool:
        return self.function in ("count", "sum", "unique_count")

    @property
    def is_daily(self) -> bool:
        return self.function == "days_since"

    @property
    def measured(self) -> tuple[str, str]:
        """Event and property of the measure it is read from."""
        return self.event, "" if self.function in ("count", "days_since") else self.property_name


BUILT_IN = (Definition("total_purchases", "sum", "purchase", "amount"),)


def list_definitions(session: Session, tenant_id: int) -> dict[str, Definition]:
    """The tenant's computed traits by name; one of its own may stand in for a built-in one."""
    rows = session.execute(
        select(traits.c.name, traits.c.function, traits.c.event, traits.c.property).where(
            traits.c.tenant_id == tenant_id
        )
    )
    return {one.name: one for one in (*BUILT_IN, *(Definition(*row) for row in rows))}


def find_definition(ctx: Context, name: str) -> Definition:
    """The definition; ValidationFailed when there is none (any more)."""
    if not ctx.definitions:
        ctx.definitions.update(list_definitions(ctx.session, ctx.tenant_id))
    found = ctx.definitions.get(name)
    if found is None:
        raise ValidationFailed(f"There is no computed trait {name[:100]}.", field="conditions")
    return found


def find_measure(ctx: Context, what: Definition) -> int | None:
    """The measure folded for the definition, or None while there is none."""
    if not ctx.measures:
        rows = ctx.session.execute(
            select(measures.c.event, measures.c.property, measures.c.id).where(measures.c.tenant_id == ctx.tenant_id)
        )
        ctx.measures.update({(event, name): measure_id for event, name, measure_id in rows})
    return ctx.measures.get(what.measured)


def measure_key(measure_id: int) -> str:
    """The measure's column among the slices."""
    return f"m:{measure_id}"
