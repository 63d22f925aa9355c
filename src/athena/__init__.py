"""Athena: one's own Midjourney subscription, from programs, a web page and a terminal."""

__version__ = "0.1.0"
