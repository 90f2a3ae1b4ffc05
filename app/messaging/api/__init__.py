"""JSON edge of messaging."""
