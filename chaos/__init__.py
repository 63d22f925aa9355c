"""The promise, tried: the whole system with everything going wrong, and a judge of what came of it.

`python -m chaos` plays thousands of tasks on a virtual clock in one process; `python -m chaos.kill`
kills a real server over and over. docs/reliability.md tells what is promised and what was found.
"""
