"""The command line. One module for each family of commands; `app` puts them together.

It must not reach into the engine: it talks to a server through `athena.client`, or starts one. Only
the doctor does, who looks at the parts that a server is made of.
Heavy parts are imported inside the commands, so that `athena --help` answers at once.
"""
