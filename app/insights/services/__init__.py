"""Rules and writes of insights."""
