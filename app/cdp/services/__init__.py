"""Every rule and every write of customer data."""
