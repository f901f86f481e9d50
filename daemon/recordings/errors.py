"""Why a file was left out, in words for the runner."""


class Unreadable(Exception):
    """One short line: "truncated: no activity in it". Never a library's own words, never more than one line."""
