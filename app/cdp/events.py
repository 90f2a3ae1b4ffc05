"""Facts about segments and people: what other features, webhooks and open pages hear of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.core.events import Event


@dataclass(frozen=True)
class SegmentRefreshed(Event):
    """A segment was counted anew; how many are in it, and how many came and went since the last time."""

    segment_id: int
    member_count: int
    entered: int
    left: int

    def live(self) -> list[tuple[str, str, dict[str, Any]]]:
        data = {"segment_id": self.segment_id, "member_count": self.member_count}
        return [("audience", "segment_refreshed", data), ("audience", f"segment-{self.segment_id}", data)]


@dataclass(frozen=True)
class SegmentEntered(Event):
    """These people, at most a thousand, came into a segment."""

    segment_id: int
    segment_uuid: str
    segment_name: str
    profile_ids: list[int]


@dataclass(frozen=True)
class SegmentLeft(Event):
    """These people, at most a thousand, are no longer in a segment."""

    segment_id: int
    segment_uuid: str
    segment_name: str
    profile_ids: list[int]


@dataclass(frozen=True)
class ProfilesErased(Event):
    """These people, profiles of one person, are gone with all that was known of them here.

    `refused` are channel and number of each who had said no, so that whoever sends messages goes on obeying.
    """

    profile_ids: list[int]
    refused: list[list[str]]
