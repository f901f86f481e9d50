"""The joint judgement of one day, pure: signals and yesterday's verdict in, today's verdict and what to say out."""

from daemon.verdict.state import decide
from daemon.verdict.telling import (
    WARNINGS,
    Ending,
    Episode,
    OpenAlert,
    Say,
    as_recorded,
    endings,
    episode_of,
    good_news,
    reminder_is_due,
    told_of,
    what_to_say,
)

__all__ = [
    "WARNINGS",
    "Ending",
    "Episode",
    "OpenAlert",
    "Say",
    "as_recorded",
    "decide",
    "endings",
    "episode_of",
    "good_news",
    "reminder_is_due",
    "told_of",
    "what_to_say",
]
