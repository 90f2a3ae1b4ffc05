"""Tables of messaging."""

from app.messaging.models.campaign import (
    EDITABLE,
    ENDED,
    SENDS,
    TRANSITIONS,
    Campaign,
    CampaignAlarm,
    CampaignAudience,
    CampaignState,
    CampaignTally,
    CampaignVariant,
    CountryCount,
    DeliveryCount,
    DeliveryOutcome,
)
from app.messaging.models.inbound import InboundKind, InboundMessage, MessageThread, Receipt, ThreadState
from app.messaging.models.link import LinkClick, TrackedLink
from app.messaging.models.message import ACCEPTED, LOST, OPEN, REACHED, Message, MessageState, Skip, Suppression
from app.messaging.models.settings import MessageSender, MessagingAccount, MessagingSettings
from app.messaging.models.template import Approval, MessageChannel, MessageTemplate, TemplateVersion
from app.messaging.models.upload import ContactUpload, UploadState

__all__ = [
    "ACCEPTED",
    "EDITABLE",
    "ENDED",
    "LOST",
    "OPEN",
    "REACHED",
    "SENDS",
    "TRANSITIONS",
    "Approval",
    "Campaign",
    "CampaignAlarm",
    "CampaignAudience",
    "CampaignState",
    "CampaignTally",
    "CampaignVariant",
    "ContactUpload",
    "CountryCount",
    "DeliveryCount",
    "DeliveryOutcome",
    "InboundKind",
    "InboundMessage",
    "LinkClick",
    "Message",
    "MessageChannel",
    "MessageSender",
    "MessageState",
    "MessageTemplate",
    "MessageThread",
    "MessagingAccount",
    "MessagingSettings",
    "Receipt",
    "Skip",
    "Suppression",
    "TemplateVersion",
    "ThreadState",
    "TrackedLink",
    "UploadState",
]
