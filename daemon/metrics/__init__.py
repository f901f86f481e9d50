"""One run in, numbers out: pure numpy. Imports nothing but the shared values; does no I/O."""

from daemon.metrics.codec import decode_series, encode_series
from daemon.metrics.doubles import completed, doubles, groups, same_clock
from daemon.metrics.explain import explained
from daemon.metrics.judge import judge_runs
from daemon.metrics.measure import measure
from daemon.metrics.profile import Profile, profile
from daemon.metrics.run_metrics import RunMetrics, from_json, to_json
from daemon.metrics.series import make_series
from daemon.metrics.usual import AthleteSettings

VERSION = 3
"""Raised whenever the same recording would give other numbers, so that the store judges its history again."""

__all__ = [
    "VERSION",
    "AthleteSettings",
    "Profile",
    "RunMetrics",
    "completed",
    "decode_series",
    "doubles",
    "encode_series",
    "explained",
    "from_json",
    "groups",
    "judge_runs",
    "make_series",
    "measure",
    "profile",
    "same_clock",
    "to_json",
]
