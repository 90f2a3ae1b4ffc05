"""Tables of customer data."""

from app.cdp.models.computed import Computed, ComputedTrait, Measure
from app.cdp.models.consent import Channel, ConsentRecord, ConsentState, ConsentValue
from app.cdp.models.event import EventName, ProfileEvent
from app.cdp.models.folding import FoldItem
from app.cdp.models.identity import Identity, IdentityRules, ProfileMerge
from app.cdp.models.profile import Lifecycle, Profile
from app.cdp.models.segment import Segment, SegmentChange, SegmentKind, SegmentMember, SegmentSize
from app.cdp.models.slice import IndexState, Slice

__all__ = [
    "Channel",
    "Computed",
    "ComputedTrait",
    "ConsentRecord",
    "ConsentState",
    "ConsentValue",
    "EventName",
    "FoldItem",
    "Identity",
    "IdentityRules",
    "IndexState",
    "Lifecycle",
    "Measure",
    "Profile",
    "ProfileEvent",
    "ProfileMerge",
    "Segment",
    "SegmentChange",
    "SegmentKind",
    "SegmentMember",
    "SegmentSize",
    "Slice",
]
