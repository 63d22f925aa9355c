"""Discord client: gateway, REST, uploads, as one user or one bot.

It knows nothing about Midjourney, tasks or callers; it handles Discord's own objects.
Facts: contracts, discord-wire.
"""
