"""Speaks Discord: gateway, REST, uploads, as one user or one bot.

Knows nothing of Midjourney, of tasks or of who asked; it moves Discord's own objects.
Facts: contracts, discord-wire.
"""
