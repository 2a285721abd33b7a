"""Noise that hides what one visitor chose: added to a counter once, when its day is closed, and kept with it.

An integer by the two-sided geometric law, P(k) = (1 - a) / (1 + a) * a^|k| with a = exp(-1 / SCALE) (Ghosh, Roughgarden
and Sundararajan 2012, SIAM J. Comput. 41:1673-1693). What one visitor adds to a counter is 0 or 1, and between the two
no value is likelier than exp(EPSILON) times.
"""

from bisect import bisect_right
from collections.abc import Callable
from math import exp

SCALE = 2
EPSILON = 1 / SCALE
_A = exp(-EPSILON)
# Of one draw. A sum over days has it once for each of them.
VARIANCE = 2 * _A / (1 - _A) ** 2
_BITS = 63
# Beyond, a value has less than the smallest share that so many bits can tell.
_FURTHEST = 87
# By value from the furthest on: of the 2^63 numbers, how many make a draw that lies beyond it.
_BEYOND = [int(2 * _A ** (value + 1) / (1 + _A) * 2**_BITS) for value in reversed(range(_FURTHEST))]


def draw(random: Callable[[int], bytes]) -> int:
    """One draw; `random` gives so many bytes."""
    number, sign = divmod(int.from_bytes(random(8)), 2)
    value = len(_BEYOND) - bisect_right(_BEYOND, number)
    return -value if sign else value
