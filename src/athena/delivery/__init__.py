"""Listens to changes and brings them out: webhooks, images.

It must not decide what becomes of a task; it only tells, fetches and serves.
"""
