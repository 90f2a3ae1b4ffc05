"""Pages of customer data."""
