"""Tests of the reliability guarantees: the whole system under every kind of fault, and a judge.

`python -m chaos` runs thousands of tasks on a virtual clock in one process; `python -m chaos.kill`
kills a real server repeatedly. docs/reliability.md describes the guarantees and the results.
"""
