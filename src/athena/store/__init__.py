"""Stores tasks, uploads and the webhook outbox, and reports every change once it is on disk.

It must not know what a task's change means, who asked for it, or how Discord works.
"""
