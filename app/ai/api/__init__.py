"""JSON edge of the AI door."""
