"""What the pages of campaigns show: figures as bars and sentences, times on the workspace's clocks, what to confirm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.accounts.guards import current_tenant
from app.core.clock import in_zone, utc_now
from app.core.formats import duration, number, plural
from app.messaging.models import CampaignState
from app.messaging.queries.campaigns import Figures
from app.messaging.services import words
from app.messaging.services.words import Words


@dataclass(frozen=True)
class Reason:
    """Why so many are not written to, or why messages failed. `share` is of all with a reason, 0 to 1."""

    key: str
    n: int
    words: Words
    share: float


def reasons_of_skips(found: Mapping[str, int]) -> list[Reason]:
    """The most frequent first."""
    return _reasons([(key, n, words.of_skip(key)) for key, n in found.items()])


def reasons_of_failures(found: Mapping[str, int]) -> list[Reason]:
    return _reasons([(key, n, words.of_failure(key)) for key, n in found.items()])


def _reasons(found: list[tuple[str, int, Words]]) -> list[Reason]:
    total = sum(n for _, n, _ in found) or 1
    rows = [Reason(key, n, said, n / total) for key, n, said in found if n > 0]
    return sorted(rows, key=lambda one: (-one.n, one.key))


def bar_of(figures: Figures) -> list[tuple[str, str, int, int]]:
    """Parts of the progress bar: class, word, how many, and where each begins, in units of people."""
    lost = figures.failed
    parts = [
        ("ply-s1", "delivered", figures.delivered), ("ply-s5", "on the way", figures.on_the_way),
        ("ply-s2", "being looked up", figures.unknown), ("ply-bad", "failed", lost),
        ("ply-mute", "cancelled", figures.cancelled),
    ]  # fmt: skip
    found, at = [], 0
    for css, word, n in parts:
        if n > 0:
            found.append((css, word, n, at))
            at += n
    return found


def what_pausing_means(figures: Figures) -> str:
    left = plural(figures.waiting, "message")
    return f"{left} wait{'s' if figures.waiting == 1 else ''} until you resume. What is on the way arrives."


def what_cancelling_means(figures: Figures, state: str = CampaignState.RUNNING) -> str:
    """With the numbers, for the one click that cannot be taken back."""
    if state == CampaignState.COMPLETED:
        return f"{plural(figures.waiting, 'message')} will not be tried again. This is for good."
    return (
        f"{plural(figures.waiting, 'person', 'people')} will not be written to any more. "
        f"{plural(figures.sent, 'message')} left already and cannot be called back. This is for good."
    )


def clock(moment: datetime | None) -> str:
    """`Mon 30 Nov, 08:00` on the workspace's clocks."""
    if moment is None:
        return ""
    local = in_zone(moment, current_tenant().timezone or "UTC")
    today = in_zone(utc_now(), current_tenant().timezone or "UTC").date()
    if local.date() == today:
        return f"today at {local:%H:%M}"
    if local.date() == today + timedelta(days=1):
        return f"tomorrow at {local:%H:%M}"
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def minute_of(moment: datetime) -> str:
    """`08:41` on the workspace's clocks."""
    return f"{in_zone(moment, current_tenant().timezone or 'UTC'):%H:%M}"


def pace(per_second: float) -> str:
    """A pace in words: `10 a second`, `6 a minute`."""
    if per_second <= 0:
        return "as fast as the sender allows"
    if per_second < 1:
        return f"{number(per_second * 60, 1).removesuffix('.0')} a minute"
    return f"{number(per_second, 1).removesuffix('.0')} a second"


def lasts(seconds: float) -> str:
    """About how long."""
    return "a moment" if seconds < 5 else duration(seconds * 1000)


def is_live(state: str, figures: Figures) -> bool:
    """Whether figures may still change by themselves."""
    moves = state in (CampaignState.RUNNING, CampaignState.PAUSED)
    return moves or bool(figures.on_the_way or figures.waiting or figures.unknown)


FUNCTIONS: dict[str, Any] = {"clock": clock, "pace": pace, "lasts": lasts, "campaign_words": words.CAMPAIGN_STATES,
                             "message_word": words.of_message}  # fmt: skip
