"""The features of the product in the order they are set up: each may use those before it."""

FEATURES = ("accounts", "ai", "webhooks", "cdp", "insights", "messaging", "dashboard")
