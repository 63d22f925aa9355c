"""The simulator: Discord and the Midjourney bots, played on loopback.

Speaks to anyone as Discord does and knows of Athena only the wire (`athena.discord.wire`,
`athena.discord.snowflakes`) and the clock; it must never import the engine, the store or http.
"""
