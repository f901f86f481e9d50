"""The joint judgement of one day, pure: signals and yesterday's verdict in, today's verdict and what to say out."""

from daemon.verdict.state import decide
from daemon.verdict.telling import OpenAlert, Say, what_to_say

__all__ = ["OpenAlert", "Say", "decide", "what_to_say"]
