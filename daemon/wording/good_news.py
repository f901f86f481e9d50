"""What is told when nothing is wrong: all clear, absorbed so far, ready for a first tempo, a channel that works.

Pure. A normal heart rate proves nothing, and none of these claims more than was seen.
"""

from collections.abc import Mapping

from daemon.clock import day_text
from daemon.measures import counted
from daemon.values import Run, Verdict
from daemon.wording.evidence import signal_of, up
from daemon.wording.sentences import back_at_norm, recently, so_far
from daemon.wording.words import text_of

LENGTH = 600


def all_clear(verdict: Verdict, units: str, runs: Mapping[int, Run]) -> tuple[str, str]:
    """The end of a pull-back, and how hard running comes back."""
    normal, left = back_at_norm(verdict), up(verdict)[:1]
    title = "All clear: easy running is back to normal" if normal else "All clear: hard running may come back"
    week = "One sign of a tight week is left." if left else "The week has room again."
    back = "Let hard running come back at about 70 % of its minutes, in place of an easy run, tempo before intervals."
    return title, text_of(
        [
            [(0, "The pull-back is over."), (1, recently(verdict, units)), (0, week), *((2, s.summary) for s in left)],
            [(0, back), (0, "Leave at least 48 hours between hard sessions.")],
        ],
        LENGTH,
    )


def absorbing(verdict: Verdict, units: str, runs: Mapping[int, Run]) -> tuple[str, str]:
    """Intensity came, and there is no sign of strain so far."""
    heart = signal_of(verdict, "easy_heart_rate")
    number = heart.evidence.get("runs_since_intensity") if heart else None
    now, left = (verdict.intensity[-1] if verdict.intensity else None), up(verdict)[:1]
    over = f" in {counted(number, 'easy run')}" if number else ""
    since = f" since intensity came on {day_text(now.introduced_on, verdict.day)}" if now and now.introduced_on else ""
    seen = f"One sign is up{over}{since}, too little to warn of." if left else f"No sign of strain{over}{since}."
    proof = "" if left else "A normal heart rate is no proof. "
    title = "Absorbing: hardly a sign of strain so far" if left else "Absorbing: no sign of strain so far"
    return title, text_of(
        [
            [(0, seen), (1, left[0].summary if left else ""), (1, recently(verdict, units))],
            [
                (2, f"There have been {so_far(now)}." if now and not now.ended_on else ""),
                (1, f"{proof}How running feels to you counts as much."),
            ],
            [(n, words) for n, words in enumerate(verdict.advice[:3])],
        ],
        LENGTH,
    )


def ready(verdict: Verdict, units: str, runs: Mapping[int, Run]) -> tuple[str, str]:
    """The base is stable: there is room to replace one easy run by a tempo."""
    weeks = (verdict.day - verdict.since).days // 7
    stable = f"Your base has been stable for {weeks} weeks" if weeks > 1 else "Your base is stable"
    return "Ready: your base has room for one tempo", text_of(
        [
            [(0, f"{stable}: easy running and the week are as usual."), (1, recently(verdict, units))],
            [
                (0, "If you want speed, replace one easy run a week by a tempo; add nothing."),
                (1, "One hard session a week is enough to begin with."),
                (2, "Then change nothing else for three to four weeks, so that you can see what it does."),
            ],
            [(3, words) for words in verdict.advice if not words.startswith("Ready")][:1],
        ],
        LENGTH,
    )


def test(verdict: Verdict, units: str, runs: Mapping[int, Run]) -> tuple[str, str]:
    """Only that the channel works."""
    return "pullback can reach you here", "This channel works: warnings about your running will arrive here."
