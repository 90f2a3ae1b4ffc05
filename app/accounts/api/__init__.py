"""JSON edge of accounts."""
