"""Rules and writes of accounts."""
