"""The API side: accepts requests, and answers what users ask about tasks and accounts.

It must not know any API's form, any webhook's body, or what images are used for.
"""
