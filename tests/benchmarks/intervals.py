"""Sampling error of rates and shares: plain formulas, no scipy."""

import math


def share(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a binomial share (Wilson 1927); (0, 1) of nothing."""
    if of == 0:
        return 0.0, 1.0
    z = 1.96
    p = hits / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def rate(count: int, exposure: float) -> tuple[float, float]:
    """The 95 % interval of a Poisson rate per unit of `exposure`: Byar's limits (Breslow 1987)."""
    if exposure <= 0:
        return 0.0, math.inf
    low = 0.0 if count == 0 else count * (1 - 1 / (9 * count) - 1.96 / (3 * math.sqrt(count))) ** 3
    more = count + 1
    high = more * (1 - 1 / (9 * more) + 1.96 / (3 * math.sqrt(more))) ** 3
    return low / exposure, high / exposure
