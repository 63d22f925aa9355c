"""Runs accounts: takes requests in, sends them, follows what becomes of them.

It must not know any dialect, any webhook's URL form, or what images are used for.
"""
