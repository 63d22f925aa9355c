"""The HTTP APIs on top of the services.

Each API translates bodies into requests, and tasks and refusals into its own responses. None
decides anything that another API would have to decide again.
"""
