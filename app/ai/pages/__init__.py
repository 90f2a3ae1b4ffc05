"""Pages of the AI door."""
