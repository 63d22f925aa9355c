"""Tasks, bot events, the state machine and the matching.

Pure: no I/O, no clock, no library but msgspec; it imports no other package of Athena.
Its structs are frozen and cannot contain cycles, so they are excluded from garbage collection
(`gc=False`): tens of thousands of waiting tasks do not slow it down.
"""
