"""JSON in and out of customer data."""
