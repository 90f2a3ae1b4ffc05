"""JSON of what is read over many features."""
