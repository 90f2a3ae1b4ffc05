"""Tables of webhooks."""

from app.webhooks.models.delivery import DeliveryState, WebhookDelivery
from app.webhooks.models.endpoint import EndpointState, WebhookEndpoint

__all__ = ["DeliveryState", "EndpointState", "WebhookDelivery", "WebhookEndpoint"]
