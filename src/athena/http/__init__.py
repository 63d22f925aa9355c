"""Dialects: HTTP faces of the engine's desk.

Each translates bodies into requests, and tasks and refusals into its own words; none decides
anything that another dialect would have to decide again.
"""
