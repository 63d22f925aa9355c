"""The bots that live in the simulator's Discord: what they say, press by press."""
