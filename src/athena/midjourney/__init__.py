"""The bots' language: messages in, bot events out; requests in, interactions out.

Pure functions over Discord's objects and Athena's tasks, without I/O. It must not know who runs
an account, where tasks are stored, or which API was used. Facts: contracts, midjourney-bot.
"""

MIDJOURNEY = "936929561302675456"
NIJI = "1022952195194359889"
INSIGHT_FACE = "1090660574196674713"
