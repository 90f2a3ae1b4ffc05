"""The insight contract's JSON."""
