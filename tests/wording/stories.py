"""Every message with a golden text, made from the verdicts of simulated runners wherever one comes to such a day.

`python -m tests.wording.stories` writes the golden texts anew: read what changed before keeping it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from daemon import wording
from daemon.values import Run, Verdict, Week
from daemon.wording.following import Withdrawn
from tests.signals.days import verdicts
from tests.signals.runners import FIRST_DAY, QUIET, Plan, simulate

GOLDEN = Path(__file__).parent / "golden"
INTENSITY_WEEK = 110  # two years of history: how often noise alone did it is known
WEEKS = 122
NAMES = {"easy": ("Morning Run", "Lunch Run", "Round the lake"), "long": ("Sunday long one",)}
Message = tuple[str, str]


def day_of(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


def named(runs: Iterable[Run]) -> list[Run]:
    """The runs as a runner names them on Strava."""
    out = []
    for run in runs:
        names = NAMES.get(run.kind, ("Track with the club",))
        out.append(replace(run, name=names[run.id % len(names)]))
    return out


@cache
def strained(seed: int = 1) -> list[Run]:
    """Intervals on top of a full week, and easy runs that cost 7 bpm more."""
    plan = Plan(weeks=WEEKS, intensity_week=INTENSITY_WEEK, change="added", rise_bpm=7)
    return named(simulate(QUIET, plan, seed))


@cache
def crowded(seed: int, rise_bpm: float = 0.0) -> list[Run]:
    """Three hard sessions a week from nothing."""
    plan = Plan(weeks=WEEKS, intensity_week=INTENSITY_WEEK, change="added", tight=True, rise_bpm=rise_bpm)
    return named(simulate(QUIET, plan, seed))


@cache
def absorbed() -> list[Run]:
    return named(simulate(QUIET, Plan(weeks=WEEKS, intensity_week=INTENSITY_WEEK), 2))


@cache
def tired() -> list[Run]:
    """Heart rate falls by 8 bpm, and easy runs are rated two points harder."""
    later = day_of(7 * INTENSITY_WEEK + 10)
    runs = simulate(QUIET, Plan(weeks=WEEKS, intensity_week=INTENSITY_WEEK, rise_bpm=-8), 2)
    harder = (replace(run, perceived_exertion=(run.perceived_exertion or 3) + 2) for run in runs)
    return named(more if more.day > later and not more.hard else run for run, more in zip(runs, harder, strict=True))


@cache
def quiet(seed: int = 2) -> list[Run]:
    return named(simulate(QUIET, Plan(weeks=WEEKS), seed))


def shifted(bpm: float) -> list[Run]:
    """Nothing changed in training, and easy runs cost more all the same."""
    runs, later = quiet(), day_of(7 * INTENSITY_WEEK)
    return [replace(r, easy=replace(r.easy, bpm=r.easy.bpm + bpm)) if r.easy and r.day > later else r for r in runs]


def faster() -> list[Run]:
    """Easy runs become a tenth faster."""
    out, later = [], day_of(7 * INTENSITY_WEEK)
    for run in quiet(3):
        if run.easy and run.control and run.day > later:
            easy = replace(run.easy, speed_m_s=1.1 * run.easy.speed_m_s)
            run = replace(run, easy=easy, control=replace(run.control, speed_m_s=1.1 * run.control.speed_m_s))  # noqa: PLW2901
        out.append(run)
    return out


def relieved(seed: int = 1) -> list[Run]:
    """The strained runner, who went back to the old weeks when the warning came."""
    told = day_of(7 * INTENSITY_WEEK + 18)
    calm = (replace(run, id=run.id + 5000) for run in quiet(seed) if run.day >= told)
    return [*(run for run in strained(seed) if run.day < told), *calm]


@cache
def days(key: str) -> list[Verdict]:
    return verdicts(RUNS[key](), 7 * INTENSITY_WEEK - 60, 7 * WEEKS - 1)


RUNS: dict[str, Callable[[], Sequence[Run]]] = {
    "strained": strained,
    "crowded": lambda: crowded(3),
    "crowded and strained": lambda: crowded(10, 2.5),
    "absorbed": absorbed,
    "tired": tired,
    "quiet": quiet,
    "shifted": lambda: shifted(7.0),
    "faster": faster,
    "relieved": lambda: relieved(3),
    "relieved late": lambda: relieved(1),
}


def first(story: str, state: str, cause: str | None = None, after: int = 0) -> Verdict:
    """The first day on which the runner is in this state, for this cause; or so many days later."""
    walked = days(story)
    at = next(n for n, v in enumerate(walked) if v.state == state and (cause is None or v.memory.get("cause") == cause))
    return walked[at + after]


def told(kind: str, story: str, cause: str | None = None, units: str = "metric", after: int = 0) -> Message:
    state = {"all_clear": "stable", "ready": "stable"}.get(kind, kind)
    return wording.alert(kind, first(story, state, cause, after), units, by_id(story))


def by_id(story: str) -> dict[int, Run]:
    return {run.id: run for run in RUNS[story]()}


def all_clear(story: str) -> Verdict:
    """The first ordinary day after a pull-back."""
    walked = days(story)
    return next(v for before, v in zip(walked, walked[1:], strict=False) if before.state == "recovering" != v.state)


def ready() -> Verdict:
    return next(v for v in days("quiet") if any(line.startswith("Ready") for line in v.advice))


def cleared_slowly() -> Verdict:
    """A pull-back that stands although nothing is up any more: the first that is heard of it, after a first fetch."""
    return [v for v in days("relieved late") if v.state == "pull_back"][-1]


def remind(story: str, days: int, units: str = "metric") -> Message:
    opened = first(story, "pull_back")
    return wording.reminder("pull_back", first(story, "pull_back", after=days), opened.day, units, by_id(story))


def weekly(story: str, state: str, after: int, units: str = "metric") -> Message:
    verdict = first(story, state, after=after)
    begin = verdict.day - timedelta(days=6)
    runs = [run for run in RUNS[story]() if begin <= run.day <= verdict.day]
    run_days = len({run.day for run in runs})
    minutes, load = sum(run.moving_s for run in runs) / 60, sum(run.load for run in runs)
    hard = len({run.day for run in runs if run.hard})
    week = Week(begin, len(runs), run_days, minutes, 225.0, load, 228.0, hard, 0.0, 7 - run_days)
    return wording.digest(verdict, week, units)


def learning() -> Verdict:
    """What is left when the runs of years were deleted."""
    few = "Still learning: needs 16 easy runs with heart rate; has 9."
    return replace(first("quiet", "stable"), state="learning", headline=few, advice=())


def take_back(kind: str, reason: Withdrawn, today: Verdict) -> Message:
    return wording.retraction(kind, today.day - timedelta(days=9), reason, today)


NOW = datetime(2026, 11, 12, 18, 30, tzinfo=UTC)
OPENED = date(2026, 11, 3)

MESSAGES: dict[str, Callable[[], Message]] = {
    "pull_back heart_rate": lambda: told("pull_back", "strained", "heart_rate"),
    "pull_back heart_rate imperial": lambda: told("pull_back", "strained", "heart_rate", "imperial"),
    "pull_back tight_week": lambda: told("pull_back", "crowded", "tight_week"),
    "pull_back both": lambda: told("pull_back", "crowded and strained", "both"),
    "pull_back suppressed": lambda: told("pull_back", "tired", "suppressed"),
    "pull_back not cleared": lambda: wording.alert("pull_back", cleared_slowly(), "metric", by_id("relieved late")),
    "pull_back told late": lambda: told("pull_back", "strained", "heart_rate", after=16),
    "watch heart_rate": lambda: told("watch", "shifted"),
    "watch week": lambda: told("watch", "crowded"),
    "watch pace": lambda: told("watch", "faster"),
    "all_clear": lambda: wording.alert("all_clear", all_clear("relieved")),
    "all_clear above the norm": lambda: wording.alert("all_clear", all_clear("relieved late")),
    "absorbing": lambda: told("absorbing", "absorbed", after=20),
    "ready": lambda: wording.alert("ready", ready()),
    "test": lambda: wording.rehearsal("test", OPENED),
    "digest absorbing": lambda: weekly("absorbed", "absorbing", 30),
    "digest pull_back imperial": lambda: weekly("strained", "pull_back", 5, "imperial"),
    "reminder": lambda: remind("strained", 7),
    "reminder long": lambda: remind("strained", 20),
    "stale": lambda: wording.stale(NOW - timedelta(days=8), NOW),
    "stale bug": lambda: wording.broken(NOW - timedelta(days=2), NOW),
    "stale never": lambda: wording.stale(None, NOW),
    "merged": lambda: wording.merged([MESSAGES["pull_back heart_rate"](), wording.access("inactive")]),
}
MESSAGES |= {
    f"access {reason}": (lambda reason=reason: wording.access(reason))
    for reason in ("inactive", "revoked", "lost", "scope", "client", "unreachable")
}
MESSAGES |= {
    f"retraction {reason}": (lambda reason=reason: take_back("pull_back", reason, first("quiet", "stable")))
    for reason in ("deleted", "edited", "recorded", "answered", "judged")
}
MESSAGES |= {
    "retraction watch remains": lambda: take_back("pull_back", "deleted", first("crowded", "watch")),
    "retraction pull-back remains": lambda: take_back("watch", "answered", first("strained", "pull_back")),
    "retraction another is easing": lambda: take_back("pull_back", "edited", first("relieved", "recovering")),
    "retraction too little is left": lambda: take_back("pull_back", "deleted", learning()),
}


def golden(name: str) -> Path:
    return GOLDEN / f"{name.replace(' ', '-')}.txt"


def as_file(message: Message) -> str:
    return f"{message[0]}\n\n{message[1]}\n"


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("*.txt"):
        old.unlink()
    for name, message in MESSAGES.items():
        golden(name).write_text(as_file(message()), encoding="utf-8")


if __name__ == "__main__":
    main()
