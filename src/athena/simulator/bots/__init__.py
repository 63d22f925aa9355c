"""The bots that live in the stand-in's Discord: what they say, press by press."""
