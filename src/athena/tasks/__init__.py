"""What was asked and what became of it: tasks, bot events, the state machine, the matching.

Pure: no I/O, no clock, no library but msgspec; it imports no other room of Athena.
Its structs are frozen trees that can hold no cycle, so the garbage collector is told to leave them
alone (`gc=False`): tens of thousands of waiting tasks cost it nothing.
"""
