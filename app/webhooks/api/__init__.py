"""JSON edge of webhooks."""
