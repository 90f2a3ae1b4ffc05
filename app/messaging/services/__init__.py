"""Every rule and every write of messaging."""
