"""Pages of audiences, personas, simulations and conversations."""
