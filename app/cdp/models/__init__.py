"""Tables of customer data."""

from app.cdp.models.computed import Computed, ComputedTrait, Measure
from app.cdp.models.consent import Channel, ConsentRecord, ConsentState, ConsentValue
from app.cdp.models.data_import import DataImport, ImportKind, ImportState
from app.cdp.models.event import EventName, ProfileEvent
from app.cdp.models.folding import FoldItem
from app.cdp.models.identity import Identity, IdentityRefusal, IdentityRules, ProfileMerge
from app.cdp.models.lifecycle import LifecycleRules
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
    "DataImport",
    "EventName",
    "FoldItem",
    "Identity",
    "IdentityRefusal",
    "IdentityRules",
    "ImportKind",
    "ImportState",
    "IndexState",
    "Lifecycle",
    "LifecycleRules",
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
