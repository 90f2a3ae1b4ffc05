"""Facts about segments and people: what other features, webhooks and open pages hear of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from app.core.events import Event


@dataclass(frozen=True)
class SegmentRefreshed(Event):
    """A segment was counted anew; how many are in it, and how many came and went since the last time."""

    outside_types: ClassVar[dict[str, str]] = {"segment.refreshed": "A segment was counted anew"}
    segment_id: int
    member_count: int
    entered: int
    left: int
    segment_uuid: str = ""
    segment_name: str = ""

    def live(self) -> list[tuple[str, str, dict[str, Any]]]:
        data = {"segment_id": self.segment_id, "member_count": self.member_count}
        return [("audience", "segment_refreshed", data), ("audience", f"segment-{self.segment_id}", data)]

    def outside(self) -> tuple[str, dict[str, Any]]:
        counts = {"member_count": self.member_count, "entered": self.entered, "left": self.left}
        return "segment.refreshed", _segment(self) | counts


@dataclass(frozen=True)
class SegmentEntered(Event):
    """These people, at most a thousand, came into a segment."""

    outside_types: ClassVar[dict[str, str]] = {"segment.entered": "People came into a segment"}
    segment_id: int
    segment_uuid: str
    segment_name: str
    profile_ids: list[int]

    def outside(self) -> tuple[str, dict[str, Any]]:
        return "segment.entered", _segment(self) | {"count": len(self.profile_ids), "profile_ids": self.profile_ids}


@dataclass(frozen=True)
class SegmentLeft(Event):
    """These people, at most a thousand, are no longer in a segment."""

    outside_types: ClassVar[dict[str, str]] = {"segment.left": "People are no longer in a segment"}
    segment_id: int
    segment_uuid: str
    segment_name: str
    profile_ids: list[int]

    def outside(self) -> tuple[str, dict[str, Any]]:
        return "segment.left", _segment(self) | {"count": len(self.profile_ids), "profile_ids": self.profile_ids}


@dataclass(frozen=True)
class ConsentGiven(Event):
    """This one person agreed to a channel, by a word about them alone (no file); `at` is when, as ISO 8601."""

    profile_id: int
    channel: str
    at: str


@dataclass(frozen=True)
class ProfilesErased(Event):
    """These people, profiles of one person, are gone with all that was known of them here.

    `refused` are channel and number of each who had said no, so that whoever sends messages goes on obeying.
    """

    profile_ids: list[int]
    refused: list[list[str]]


def _segment(event: SegmentRefreshed | SegmentEntered | SegmentLeft) -> dict[str, Any]:
    return {
        "segment_id": event.segment_id, "segment_uuid": event.segment_uuid, "segment_name": event.segment_name,
    }  # fmt: skip
