"""Entry points: each calls a use case for a request, and turns its result or error into a response.

A process that imports them collects garbage rarely from here on. Nearly all that imports make lives as long as the
process, and an event leaves few cyclic objects behind: by the default thresholds, a cold start looks through all
modules twice for nothing, and an event spends some 5% of its CPU.
"""

import gc

GARBAGE_THRESHOLDS = (10_000, 20, 50)
"""The thresholds of the three generations: https://docs.python.org/3/library/gc.html#gc.set_threshold."""
gc.set_threshold(*GARBAGE_THRESHOLDS)
