"""JSON edge of customer data."""
