"""Query strings of the insight contract's lists."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field


def _digits(value: Any) -> Any:
    """A query string says a whole number with digits alone: no sign, no point, no spaces."""
    if isinstance(value, str) and not re.fullmatch("[0-9]{1,12}", value):
        raise ValueError("must be a whole number")
    return value


Digits = BeforeValidator(_digits)  # after the bounds in an annotation: before them it would hide them from the document


class SliceQuery(BaseModel):
    """`limit` and `offset` of a list that is one JSON array."""

    limit: Annotated[int, Field(ge=1, le=500, description="At most so many."), Digits] = 500
    offset: Annotated[int, Field(ge=0, le=10**7, description="Leave out so many from the beginning."), Digits] = 0


class SimulationsQuery(SliceQuery):
    """The list of simulations."""

    audience_id: Annotated[int, Field(ge=1, le=2**31 - 1, description="Only this audience's."), Digits] | None = None
