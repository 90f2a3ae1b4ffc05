"""Reports out, as the messaging contract shows them; what is ours beyond it stands after what is the contract's."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from app.core.clock import iso
from app.messaging.models import MessageState
from app.messaging.queries.message_log import LoggedMessage
from app.messaging.queries.responses import LinkFigures
from app.messaging.services import delivery_reference
from app.messaging.services.message_reports import StatusPage
from app.messaging.services.reporting import Summary, percent_of, public_state
from app.messaging.services.statistics import Lift, Share
from app.messaging.services.variant_reports import VariantFigures, VariantReport

STATES = sorted({public_state(state) for state in MessageState})
StateWord = Annotated[str, WithJsonSchema({"enum": STATES, "examples": ["DELIVERED"]})]
MomentText = Annotated[Any, WithJsonSchema({"type": "string", "examples": ["2026-11-29", "2026-11-29T10:15:00Z"]})]
MAX_DEPTH = 50_000


class StatusQuery(BaseModel):
    """Dates are ISO 8601; a day alone is all of it in UTC, and `end_date` is included. They are of the sending,
    or for `UNDELIVERED` and `FAILED` of the end: with one, messages that were not sent are left out."""

    campaign_id: str | None = Field(None, max_length=36)
    start_date: MomentText = None
    end_date: MomentText = None
    status: Annotated[Any, WithJsonSchema({"enum": STATES})] = None
    page: int = Field(1, ge=1, le=MAX_DEPTH)
    per_page: int = Field(50, ge=1, le=100)


class MessageStatusOut(BaseModel):
    """`error_code` is the provider's. `sent_at` is null for what was not sent; the number is empty of who was
    erased."""

    id: str
    recipient_phone: str
    campaign_name: str | None
    status: StateWord
    sent_at: str | None
    delivered_at: str | None
    delivery_time_seconds: float | None
    error_code: int | None
    campaign_id: str | None
    reason: str


class StatusSummary(BaseModel):
    """Of the campaign or the dates asked for, whatever `status` was asked for; `delivery_rate` is in percent of all
    that were handed over."""

    total_messages: int
    delivered: int
    failed: int
    pending: int
    delivery_rate: float


class StatusesOut(BaseModel):
    messages: list[MessageStatusOut]
    summary: StatusSummary
    page: int
    per_page: int
    has_next: bool


class Performance(BaseModel):
    messages_sent: int
    messages_delivered: int
    messages_failed: int
    delivery_rate: float
    average_delivery_time_minutes: float | None


class Timeline(BaseModel):
    started_at: str | None
    completed_at: str | None
    duration_minutes: float | None


class ShareOut(BaseModel):
    """People, their part of those it was sent to in percent, and the interval the true rate lies in (95 %)."""

    people: int
    base: int
    percent: float | None
    low: float | None
    high: float | None


class LiftOut(BaseModel):
    """In points of percent above those held out; `p` is how often chance alone would do as much."""

    points: float
    low: float
    high: float
    p: float


class VariantOut(BaseModel):
    label: str
    template: str
    sent: int
    delivered: int
    failed: int
    clicks: ShareOut
    replies: ShareOut
    opt_outs: ShareOut
    goal: ShareOut
    lift: LiftOut | None
    is_winner: bool


class LinkOut(BaseModel):
    url: str
    people: int
    clicks: int


class VerdictOut(BaseModel):
    """`measure` is what texts are compared by; `p` is corrected for comparing several."""

    measure: Literal["goal", "clicks", "replies"]
    winner: str | None
    p: float | None
    sentence: str
    lift: LiftOut | None
    lift_sentence: str


class SummaryOut(BaseModel):
    """`messages_sent` are those handed over to the provider, whatever it made of them."""

    campaign_id: str
    campaign_name: str
    performance_metrics: Performance
    status_breakdown: dict[str, int]
    error_analysis: dict[str, int]
    execution_timeline: Timeline
    variants: list[VariantOut]
    links: list[LinkOut]
    verdict: VerdictOut


def moment_of(text: str, *, is_end: bool) -> datetime:
    """A day or a moment in UTC; the end of a day is the beginning of the next. ValueError, OverflowError for others."""
    if len(text) == 10:
        day = date.fromisoformat(text)
        return datetime.combine(day, time(), UTC) + timedelta(days=is_end)
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def statuses_out(page: StatusPage) -> dict[str, Any]:
    figures = page.figures
    return {
        "messages": [message_out(row) for row in page.rows],
        "summary": {
            "total_messages": figures.total, "delivered": figures.delivered, "failed": figures.failed,
            "pending": figures.pending, "delivery_rate": percent_of(figures.delivered, figures.tried),
        },
        "page": page.number, "per_page": page.limit, "has_next": page.has_next,
    }  # fmt: skip


def message_out(row: LoggedMessage) -> dict[str, Any]:
    took = (row.delivered_at - row.sent_at).total_seconds() if row.sent_at and row.delivered_at else None
    return {
        "id": delivery_reference.public_id(row.id), "recipient_phone": row.address, "campaign_name": row.campaign_name,
        "status": public_state(row.state), "sent_at": iso(row.sent_at), "delivered_at": iso(row.delivered_at),
        "delivery_time_seconds": took if took is None else max(0.0, round(took, 1)), "error_code": row.error_code,
        "campaign_id": row.campaign_uuid, "reason": row.reason,
    }  # fmt: skip


def summary_out(summary: Summary, report: VariantReport, links: list[LinkFigures]) -> dict[str, Any]:
    campaign, average = summary.campaign, summary.average_seconds
    states: dict[str, int] = {}
    for state, n in sorted(summary.states.items(), key=lambda item: -item[1]):
        states[public_state(state)] = states.get(public_state(state), 0) + n
    return {
        "campaign_id": campaign.uuid, "campaign_name": campaign.name,
        "performance_metrics": {
            "messages_sent": summary.sent, "messages_delivered": summary.delivered, "messages_failed": summary.failed,
            "delivery_rate": percent_of(summary.delivered, summary.sent),
            "average_delivery_time_minutes": None if average is None else round(average / 60, 2),
        },
        "status_breakdown": states, "error_analysis": summary.errors,
        "execution_timeline": {
            "started_at": iso(campaign.started_at), "completed_at": iso(campaign.completed_at),
            "duration_minutes": summary.duration_minutes,
        },
        "variants": [variant_out(row) for row in report.variants],
        "links": [{"url": one.link.url, "people": one.people, "clicks": one.clicks} for one in links],
        "verdict": verdict_out(report),
    }  # fmt: skip


def verdict_out(report: VariantReport) -> dict[str, Any]:
    winner = next((row.label for row in report.variants if row.is_winner), None)
    return {
        "measure": report.measure, "winner": winner, "p": report.p, "sentence": report.sentence,
        "lift": lift_out(report.lift), "lift_sentence": report.lift_sentence,
    }  # fmt: skip


def variant_out(row: VariantFigures) -> dict[str, Any]:
    return {
        "label": row.label, "template": row.template_name, "sent": row.sent, "delivered": row.delivered,
        "failed": row.failed, "clicks": share_out(row.clicks), "replies": share_out(row.replies),
        "opt_outs": share_out(row.opt_outs), "goal": share_out(row.goal), "lift": lift_out(row.lift),
        "is_winner": row.is_winner,
    }  # fmt: skip


def share_out(value: Share) -> dict[str, Any]:
    named = {"percent": value.rate, "low": value.low, "high": value.high}
    shown = {name: None if rate is None else round(100 * rate, 3) for name, rate in named.items()}
    return {"people": value.hits, "base": value.base} | shown


def lift_out(value: Lift | None) -> dict[str, Any] | None:
    if value is None:
        return None
    shown = {"points": value.points, "low": value.low, "high": value.high}
    return {name: round(100 * one, 3) for name, one in shown.items()} | {"p": value.p}
