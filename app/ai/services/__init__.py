"""Rules and writes of the AI door."""
