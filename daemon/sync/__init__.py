"""Strava to store: `pull` brings what is new, changed and gone, `plan` decides it, `retain` ends raw answers."""

from daemon.sync.decisions import PER_PAGE, WINDOW, plan
from daemon.sync.pulling import Outcome, pull
from daemon.sync.retention import retain

__all__ = ["PER_PAGE", "WINDOW", "Outcome", "plan", "pull", "retain"]
