"""Keeps tasks, uploads and the webhook outbox on disk, and tells of every change once it is there.

It must not know what a task's change means, who asked for it, or how Discord works.
"""
