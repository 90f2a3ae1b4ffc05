"""JSON in and out of messaging."""
