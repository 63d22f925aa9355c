"""Speed and memory, measured as ratios within one run, so that a slow machine is no excuse.

    make bench

Absolute figures differ from machine to machine; what counts is the last column.
"""
