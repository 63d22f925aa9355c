"""Delivers changes and images to the outside: webhooks, relayed images, translation.

It never changes a task; it only notifies, fetches and serves.
"""
