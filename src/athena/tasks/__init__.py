"""What was asked and what became of it: tasks, sightings, the state machine, the matching.

Pure: no I/O, no clock, no library but msgspec; it imports no other room of Athena.
"""
