"""Rules and writes of webhooks."""
