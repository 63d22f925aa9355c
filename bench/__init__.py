"""Speed and memory, measured as ratios within one run, to be independent of the machine.

    make bench

Absolute values differ between machines; the last column is what matters.
"""
