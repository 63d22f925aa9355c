"""Runs accounts: takes requests in, sends them, follows what becomes of them.

It must not know any dialect, any hook's URL form, or what pictures are used for.
"""
