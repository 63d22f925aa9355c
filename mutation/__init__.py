"""Mutation testing: change one thing in a module and see whether a test fails.

A *mutant* is the source with one edit. It is *caught* when a test fails or runs too long, it
*survives* when every test passes. A survivor is either a missing test or a change that makes no
difference; the latter are listed in `targets.toml` with the reason.

Why not mutmut or cosmic-ray: both start pytest for each mutant (or a copy of the project's sources
with it), which costs seconds where a test costs a millisecond, and neither knows what this code
base wants left alone (log lines, texts of errors, options of a struct). So the work is done like
this:

1. `operators` reads a module and yields edits; `mutants` makes each into a source and a diff.
2. `server` is a forked process that has pytest collect the tests once. A first fork runs them all
   and notes which test reaches which line. After that, one fork for each mutant: it compiles the
   mutated source, gives the live functions their new code objects, runs the tests that reach the
   changed statement, quickest first, and stops at the first failure.
3. Edits outside of functions (constants, tables, defaults), and of what runs while tests are
   collected, need the module to be imported again, by all that import it: `cold` does so in a fork
   of the first process, which has imported nothing of the project.

Limits are in seconds of processor time, so a busy machine changes no result; a limit on the clock,
far longer, ends what only waits. Hypothesis runs with a fixed seed and does not shrink.
"""
