"""Listens to changes and brings them out: hooks, pictures.

It must not decide what becomes of a task; it only tells, fetches and serves.
"""
