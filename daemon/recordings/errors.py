"""The one error of this room, which tells why one file is skipped and stops nothing else, and words that two share."""


class Unreadable(Exception):
    """Why one file is skipped, in one short line."""


DAMAGED = "damaged at the end; what came before is kept"
"""What is said of a file of which only the beginning could be read."""
