"""How far a runner's easy heart rate strays by itself, and how far a rise stands out from that. Arrays in, arrays out.

One model for every reading: a level, known factors (pace, heat, …) whose sizes are uncertain, a wander that is
remembered for weeks, and noise of the single run. All are Gaussian, so a rise is estimated by generalised least
squares (Aitken 1935) as if the factors were fitted along with it, and what they may explain counts against it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from daemon.values import FloatArray

LEVEL_SD_BPM = 20.0
"""Prior of the level about the median reading: wide, the readings say where it is."""

RISE_SD_BPM = 10.0
"""Prior of a rise: keeps one run from being a huge and certain one."""

TAILS = 8.0
"""Degrees of freedom of a run's noise while the wander is learned: real residuals have 0-7 % beyond 3 SD."""

WILD = 2.0
"""A run further than this (standard errors) from what the others say of it weighs less, by the cube of the excess."""

SD_BPM, DAYS, RUN_BPM = (0.8, 1.5, 2.6, 4.2, 6.5), (30.0, 80.0, 200.0), (1.0, 1.8, 3.0, 5.0)
BEYOND = 1e12
"""More than the squares of all surprises together: what a covariance with the readings as a last row ends in."""

GRID = np.array(list(product(SD_BPM, DAYS, RUN_BPM)))
"""What is tried: SD of the wander (bpm), days after which it is forgotten to 1/e, SD of a single run (bpm)."""

PRIOR_MIDDLE, PRIOR_WIDTH = np.array((4.0, 120.0, 2.7)), np.array((0.9, 0.7, 0.6))
"""Middle and log-SD of the three before a runner's own readings say more. Two real runners' levels hang together for
100 days and more, with a SD of 5 to 6.5 bpm [measured]."""


@dataclass(frozen=True, slots=True)
class Wander:
    """How a level strays: by `sd_bpm`, remembered for `days`; a single run by `run_bpm` besides its own error."""

    sd_bpm: float
    days: float
    run_bpm: float


@dataclass(frozen=True, slots=True)
class Factor:
    """Something besides training that moves easy heart rate: its size per unit is `mean` ± `sd` bpm beforehand."""

    name: str
    mean: float
    sd: float


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Easy readings of one runner, oldest first: `day` (ordinal), `bpm`, `se_bpm`, and `x`, one column per factor."""

    day: FloatArray
    bpm: FloatArray
    se_bpm: FloatArray
    x: FloatArray

    def part(self, rows: Any) -> "Readings":
        return Readings(self.day[rows], self.bpm[rows], self.se_bpm[rows], self.x[rows])

    def __len__(self) -> int:
        return int(self.day.size)


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """What a reading should be on `day`: `bpm` with the factors at `centre`, plus `sizes` (bpm a unit) for the rest."""

    bpm: float
    sizes: FloatArray
    centre: FloatArray

    def expected(self, x: FloatArray) -> FloatArray:
        """Heart rate expected at the factors `x`, shape (n, factors) or (factors,)."""
        return np.asarray(self.bpm + (x - self.centre) @ self.sizes, dtype=float)


@dataclass(frozen=True, slots=True, eq=False)
class Rises:
    """For each possible first day of a rise: its size, the standard error of that, and how many errors it stands out.

    `errors` is signed, standard normal where there was no rise and the model is right.
    """

    onset: FloatArray
    bpm: FloatArray
    se_bpm: FloatArray
    errors: FloatArray


def learn(readings: Readings, factors: Sequence[Factor]) -> Wander:
    """The wander of these readings: posterior mean over `GRID`; the prior's middle where there are none.

    About 3 ms for 60 readings.
    """
    log_prior = -0.5 * (((np.log(GRID) - np.log(PRIOR_MIDDLE)) / PRIOR_WIDTH) ** 2).sum(axis=1)
    log_posterior = log_prior + (_log_likelihood(readings, factors) if len(readings) >= 4 else 0.0)
    weight = np.exp(log_posterior - log_posterior.max())
    weight /= weight.sum()
    sd, days, run = GRID.T
    return Wander(
        sd_bpm=float(np.sqrt(weight @ sd**2)),
        days=float(np.exp(weight @ np.log(days))),
        run_bpm=float(np.sqrt(weight @ run**2)),
    )


def _log_likelihood(readings: Readings, factors: Sequence[Factor]) -> FloatArray:
    """Of each row of `GRID`: every reading predicted from those before it, with Student tails."""
    off, _, spread = _known(readings, factors)
    n, at = off.size, np.arange(off.size)
    apart = np.abs(readings.day[:, None] - readings.day[None, :])
    first = min(8, n // 3)  # the first are predicted from next to nothing
    out = np.empty(len(GRID))
    for days in DAYS:  # one after the other: their covariances together are 2 MB, got from the system each time
        rows = np.flatnonzero(GRID[:, 1] == days)
        # With the readings as a last row, the factor's last row is each one's surprise, in its own standard errors.
        joint = np.full((rows.size, n + 1, n + 1), BEYOND)
        joint[:, :n, :n] = np.square(GRID[rows, 0])[:, None, None] * np.exp(-apart / days) + spread
        joint[:, at, at] += np.square(GRID[rows, 2])[:, None] + readings.se_bpm**2
        joint[:, n, :n] = off
        root = np.linalg.cholesky(joint)
        each = -(TAILS + 1) / 2 * np.log1p(root[:, n, :n] ** 2 / (TAILS - 2)) - np.log(root[:, at, at])
        out[rows] = each[:, first:].sum(axis=1)
    return out


def rises(readings: Readings, factors: Sequence[Factor], wander: Wander, onset: FloatArray, days: float) -> Rises:
    """A rise that begins on each day of `onset` and is complete after `days`, each alone; about 0.2 ms."""
    off, _, inverse = _weighed(readings, factors, wander)
    shape = np.clip((readings.day[:, None] - onset[None, :] + 1.0) / days, 0.0, 1.0)
    weighted = inverse @ shape
    agreement, precision = weighted.T @ off, (shape * weighted).sum(axis=0)
    certain = np.maximum(precision, 1e-9)
    return Rises(
        onset=onset,
        bpm=agreement / certain,
        se_bpm=1.0 / np.sqrt(certain),
        errors=agreement / np.sqrt(precision + RISE_SD_BPM**-2),
    )


def norm(readings: Readings, factors: Sequence[Factor], wander: Wander, day: float) -> Norm:
    """The level on `day` (at or after the last reading) and the sizes of the factors, from these readings alone."""
    off, middle, inverse = _weighed(readings, factors, wander)
    told = inverse @ off
    near = wander.sd_bpm**2 * np.exp(-np.abs(day - readings.day) / wander.days)
    level = float((near + LEVEL_SD_BPM**2) @ told)
    centre = middle_of(readings.x)
    mean, sd = _sizes(factors)
    sizes = mean + sd**2 * ((readings.x - centre).T @ told)
    return Norm(middle + level, sizes, centre)


def middle_of(values: FloatArray) -> FloatArray:
    """The median over the first axis, which isn't empty, of known numbers; several times as quick as numpy's."""
    ordered, size = np.sort(values, axis=0), len(values)
    return np.asarray((ordered[(size - 1) // 2] + ordered[size // 2]) / 2, dtype=float)


def _weighed(readings: Readings, factors: Sequence[Factor], wander: Wander) -> tuple[FloatArray, float, FloatArray]:
    """Each reading off the middle, that, and the inverse covariance with wild readings made to weigh less."""
    off, middle, spread = _known(readings, factors)
    apart = np.abs(readings.day[:, None] - readings.day[None, :])
    covariance = wander.sd_bpm**2 * np.exp(-apart / wander.days) + spread
    noise = wander.run_bpm**2 + readings.se_bpm**2
    inverse = np.asarray(np.linalg.inv(covariance + np.diag(noise)), dtype=float)
    # What is left of a reading once all others have spoken, in its own standard errors.
    left = np.abs(inverse @ off) / np.sqrt(np.diagonal(inverse))
    wild = np.flatnonzero(left > WILD)
    if wild.size:
        # Only the noise of these few is another: Woodbury's identity (1950) makes the inverse from the one there is.
        more = noise[wild] * ((left[wild] / WILD) ** 3 - 1.0)
        theirs = inverse[:, wild]
        inverse = inverse - theirs @ np.linalg.solve(theirs[wild] + np.diag(1.0 / more), theirs.T)
    return off, middle, inverse


def _known(readings: Readings, factors: Sequence[Factor]) -> tuple[FloatArray, float, FloatArray]:
    """Readings off the middle with the factors' expected sizes taken out, that, and the covariance their doubt adds."""
    x = readings.x - middle_of(readings.x)
    mean, sd = _sizes(factors)
    doubt = x * sd
    plain = readings.bpm - x @ mean
    middle = float(middle_of(plain))
    return plain - middle, middle, doubt @ doubt.T + LEVEL_SD_BPM**2


def _sizes(factors: Sequence[Factor]) -> tuple[FloatArray, FloatArray]:
    """What the factors are expected to be worth beforehand, and how uncertain that is."""
    return np.array([factor.mean for factor in factors]), np.array([factor.sd for factor in factors])


def poisson_range(count: int) -> tuple[float, float]:
    """The 95 % range of a Poisson mean of which `count` were seen: Wilson and Hilferty's chi-square (1931)."""

    def tail(n: float, z: float) -> float:
        return float(n * (1 - 1 / (9 * n) + z / (3 * np.sqrt(n))) ** 3) if n else 0.0

    return tail(count, -1.96), tail(count + 1, 1.96)
