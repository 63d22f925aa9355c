"""The simulator of Discord and the Midjourney bots, on a loopback port.

It behaves like Discord to any client. Of Athena it uses only the wire format
(`athena.discord.wire`, `athena.discord.snowflakes`) and the clock; it must never import the server,
the store or http.
"""
