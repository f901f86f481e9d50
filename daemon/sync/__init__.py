"""Strava to store: `pull` brings what is new, changed and gone; `plan` is what it decides by."""

from daemon.sync.decisions import PER_PAGE, WINDOW, plan
from daemon.sync.pulling import Outcome, pull

__all__ = ["PER_PAGE", "WINDOW", "Outcome", "plan", "pull"]
