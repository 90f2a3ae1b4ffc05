"""The index over the truth, and conditions answered from it as sets of profile ids."""
