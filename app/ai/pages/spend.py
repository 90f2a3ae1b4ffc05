"""AI spend: what was asked, what it cost, what failed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from flask import render_template, request

from app.accounts.guards import require_permission
from app.ai import queries
from app.ai.pages.blueprint import bp
from app.ai.services import budget
from app.ai.services.names import TASK_LABELS, label_of
from app.core.clock import utc_now
from app.core.http import int_argument

PERIODS = (7, 30, 90)
CALLS_A_PAGE = 25


@bp.get("/spend")
@require_permission("insights.read")
def show_spend() -> str:
    days = int_argument("days", 30, low=1, high=366) or 30
    since = _midnight() - timedelta(days=days - 1)
    by_provider = queries.spend_by_provider(since)
    return render_template(
        "settings/spend.html",
        days=days,
        periods=PERIODS,
        budget=budget.state(),
        totals=queries.add_up(by_provider),
        by_provider=[(label_of(line.key), line) for line in by_provider],
        by_task=[(TASK_LABELS.get(line.key, line.key), line) for line in queries.spend_by_task(since)],
        chart=_chart(since, days),
        **_calls_page(),
    )


@bp.get("/spend/calls")
@require_permission("insights.read")
def list_calls() -> str:
    """More of the list, for the button at its end."""
    return render_template("settings/_spend_calls.html", **_calls_page())


def _calls_page() -> dict[str, Any]:
    failed_only = request.args.get("failed") == "1"
    rows = queries.list_calls(CALLS_A_PAGE + 1, failed_only=failed_only, before_id=int_argument("before", high=2**62))
    return {
        "calls": rows[:CALLS_A_PAGE],
        "next_before": rows[CALLS_A_PAGE - 1].id if len(rows) > CALLS_A_PAGE else None,
        "failed_only": failed_only,
        "task_labels": TASK_LABELS,
    }


def _midnight() -> datetime:
    return utc_now().replace(hour=0, minute=0, second=0, microsecond=0)


def _chart(since: datetime, days: int) -> dict[str, Any]:
    """Cost by day; while nothing has cost anything, calls by day."""
    lines = {line.key: line for line in queries.spend_by_day(since)}
    dates = [(since + timedelta(days=offset)).date() for offset in range(days)]
    dearest = max((line.micros for line in lines.values()), default=0)
    if not dearest:
        counts = [(_name(day), lines[day.isoformat()].calls if day.isoformat() in lines else 0) for day in dates]
        return {
            "title": "Calls by day",
            "note": "nothing has cost anything yet",
            "rows": counts,
            "unit": "",
            "head": "Calls",
        }
    divisor, unit, head = (1_000_000, "$", "US dollars") if dearest >= 1_000_000 else (10_000, "¢", "US cents")
    rows = [(_name(day), round(_micros(lines.get(day.isoformat())) / divisor, 2)) for day in dates]
    return {"title": "Cost by day", "note": f"in {head}", "rows": rows, "unit": unit, "head": head}


def _name(day: date) -> str:
    return f"{day.day} {day:%b}"


def _micros(line: queries.SpendLine | None) -> int:
    return line.micros if line else 0
