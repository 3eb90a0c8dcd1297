"""Compares the time of a start with that of a minimal function.

It is a ratio of two minima over many interleaved runs, so that whatever else the machine does counts little.
"""

import sys
import time

from platform_api import Platform

STARTS, LARGEST = 40, 1.3


def start(function):
    platform = Platform()
    since = time.perf_counter()
    process = platform.run([function])
    took = time.perf_counter() - since
    platform.stop(process)
    return took * 1000


starts = [(start(sys.argv[1]), start(sys.argv[2])) for _ in range(STARTS)]
ours, theirs = map(min, zip(*starts))
print(f"start: {ours:.2f} ms, beside {theirs:.2f}: ratio {ours / theirs:.2f} (at most {LARGEST})")
sys.exit(ours / theirs > LARGEST)
