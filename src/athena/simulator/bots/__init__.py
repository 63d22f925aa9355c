"""The simulated bots."""
