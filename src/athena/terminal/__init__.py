"""The command line. One module for each family of commands; `app` combines them.

It does not use the server's internals: it talks to a server through `athena.client`, or starts one.
The only exception is the doctor, which examines the parts of a server.
Heavy modules are imported inside the commands, so that `athena --help` starts fast.
"""
