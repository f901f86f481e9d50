"""What is said to the runner: the title and text of every message, from the numbers in its verdict. Pure.

It finds words for what was decided and decides nothing itself; it names no conditions. A title has at most 60
characters and no full stop; a text is paragraphs of whole sentences with a blank line between them.
"""

from daemon.wording.alerts import alert
from daemon.wording.following import merged, reminder, retraction
from daemon.wording.marked import markdown
from daemon.wording.rehearsing import KINDS, rehearsal
from daemon.wording.sentences import by_chance, happened
from daemon.wording.trouble import access, broken, stale, unfetched
from daemon.wording.weekly import digest

__all__ = [
    "KINDS",
    "access",
    "alert",
    "broken",
    "by_chance",
    "digest",
    "happened",
    "markdown",
    "merged",
    "rehearsal",
    "reminder",
    "retraction",
    "stale",
    "unfetched",
]
