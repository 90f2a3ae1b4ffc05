"""Read-only lists, counts and reports of customer data."""
