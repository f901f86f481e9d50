"""Who the runner is, learned from the runs up to a day, each number with its source. Pure; no detector depends on it.

Maximum and threshold stay unknown until a hard effort has shown them; what the config says wins over what is learned.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from daemon.metrics.efforts import SPAN, Effort, effort_of, maximum
from daemon.metrics.judge import Session, fold, is_by_heart
from daemon.metrics.pieces import Measured, joined
from daemon.metrics.run_metrics import RunMetrics
from daemon.metrics.usual import BEST_SPAN, HANDFUL, RIEGEL, AthleteSettings, Past, Usual, lesson, median
from daemon.values import Run

WEEKS = 8
"""The usual week is the median of so many weeks that end with the day asked for."""

LAST_RUNS = 10
THRESHOLD_RACE_S, THRESHOLD_S, OF_THRESHOLD_S = 1800, 1200, 0.96
"""Threshold heart rate: the best half-hour of a race, else 0.96 of the best twenty minutes of a hard run [ENG]."""

OF_MAXIMUM = (0.86, 0.96)
"""Threshold heart rate is held to this part of a known maximum [ENG; VT2 lies at 93.5 ± 2.5 % in 1,411 runners]."""

ABOVE_EASY_BPM, ABOVE_EASY = 10.0, 1.1
"""An effort that stays closer than this to easy heart rate, or easy speed (a multiple), shows no threshold [ENG]."""

BEST_LEAST_S = 1200
"""Threshold speed is learned from efforts of at least this long, brought to an hour (Riegel 1981)."""

UNKNOWN = "not known yet: needs a hard effort"
NO_EASY = "not known yet: no run has shown it"

AS_OF = timedelta(days=28)
"""Older than this, what easy running was isn't what it is today [ENG]."""


@dataclass(frozen=True, slots=True)
class Known:
    """A number and where it comes from, in words; None where it isn't known."""

    value: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Week:
    """The usual week: medians of the `weeks` up to `last`. Other sports count in no number but `hard_days`."""

    runs: float
    minutes: float
    long_run_minutes: float
    rest_days: float
    hard_days: float
    weeks: int
    last: date


@dataclass(frozen=True, slots=True)
class Profile:
    """The runner on one day. Speeds are grade-adjusted (m/s), heart rates in bpm.

    `sensor` is A, B or C by the share of believable heart rate in the last runs, "" without any. `week` is None before
    the first full week.
    """

    day: date
    easy_speed_m_s: Known
    easy_heart_rate_bpm: Known
    maximum_heart_rate_bpm: Known
    threshold_heart_rate_bpm: Known
    threshold_speed_m_s: Known
    week: Week | None
    device: str | None
    sensor: str

    def as_document(self) -> dict[str, Any]:
        """JSON-ready, with stable keys; paces in s/km."""
        easy, threshold = _paced(self.easy_speed_m_s), _paced(self.threshold_speed_m_s)
        return {
            "day": self.day.isoformat(),
            "easy_pace_s_per_km": easy,
            "easy_heart_rate_bpm": _document(self.easy_heart_rate_bpm),
            "maximum_heart_rate_bpm": _document(self.maximum_heart_rate_bpm),
            "threshold_heart_rate_bpm": _document(self.threshold_heart_rate_bpm),
            "threshold_pace_s_per_km": threshold,
            "week": None
            if self.week is None
            else {
                "runs": self.week.runs,
                "minutes": round(self.week.minutes),
                "long_run_minutes": round(self.week.long_run_minutes),
                "rest_days": self.week.rest_days,
                "hard_days": self.week.hard_days,
                "source": f"median of the last {self.week.weeks} weeks{_then(self.week.last, self.day)}",
            },
            "device": self.device,
            "sensor": self.sensor,
        }


def profile(activities: Iterable[Measured], settings: AthleteSettings, today: date) -> Profile:
    """The runner as the runs that had ended by `today` show him."""
    known = [(activity, metrics) for activity, metrics in activities if activity.day <= today]
    sessions = fold(known, settings)
    usual = _usual_now(sessions, today)
    hard = [session for session in sessions if _shows_an_effort(session)]
    highest = _maximum(hard, settings, today)
    when = _as_of(sessions, today)
    last = [metrics for session in sessions for activity, metrics in session.parts if activity.is_run][-LAST_RUNS:]
    named = [run.device for session in sessions for run in session.runs if run.is_run and run.device]
    return Profile(
        day=today,
        easy_speed_m_s=_learned(usual, lambda u: u.speed_m_s, when),
        easy_heart_rate_bpm=_learned(usual, lambda u: u.heart_rate_bpm, when),
        maximum_heart_rate_bpm=highest,
        threshold_heart_rate_bpm=_threshold_heart_rate(hard, usual, settings, highest.value, today),
        threshold_speed_m_s=_threshold_speed(hard, usual, today),
        week=_week(sessions, today),
        device=named[-1] if named else None,
        sensor=_sensor(last),
    )


def _usual_now(sessions: Sequence[Session], today: date) -> Usual | None:
    """What a run on the next day would be judged by."""
    lessons = [taught for session in sessions if (taught := lesson(*joined(session.parts))) is not None]
    past = Past(lessons[:HANDFUL])
    for taught in lessons:
        past.learn(taught)
    return past.usual(datetime.combine(today + timedelta(days=1), time.min, UTC))


def _shows_an_effort(session: Session) -> bool:
    return session.runs[0].hard and not is_by_heart(session.parts[0][0])


def _learned(usual: Usual | None, part: Callable[[Usual], float | None], when: str) -> Known:
    value = None if usual is None else part(usual)
    return Known(value, NO_EASY if value is None else f"median of the last runs{when}")


def _as_of(sessions: Sequence[Session], today: date) -> str:
    """ ", as of 30 March 2021" where the last run that teaches anything is long ago, else ""."""
    taught = (session.runs[0].day for session in reversed(sessions) if lesson(*joined(session.parts)) is not None)
    return _then(next(taught, today), today)


def _then(last: date, today: date) -> str:
    return f", as of {_on(last)}" if last < today - AS_OF else ""


def _maximum(hard: Sequence[Session], settings: AthleteSettings, today: date) -> Known:
    if settings.max_heart_rate is not None:
        return Known(settings.max_heart_rate, "config")
    efforts = [effort_of(session.runs[0].day, joined(session.parts)[1]) for session in hard]
    known: list[Effort] = [effort for effort in efforts if effort is not None]
    found = maximum(known, today)
    if found is not None:
        first, second = found
        days = " and ".join(_on(day) for day in sorted((first.day, second.day)))
        return Known(round(first.bpm, 1), f"learned from two efforts, {days}")
    lately = [effort for effort in known if effort.day >= today - SPAN]
    if lately:
        best = max(lately, key=lambda effort: effort.bpm)
        return Known(None, f"not known yet: {best.bpm:.0f} bpm on {_on(best.day)} needs a second effort to confirm it")
    return _too_long_ago([effort.day for effort in known])


def _too_long_ago(days: Sequence[date]) -> Known:
    """Why nothing is known today where efforts were made on these `days`, all of them too old to go by."""
    if not days:
        return Known(None, UNKNOWN)
    return Known(None, f"not known now: the last hard efforts are from {_on(max(days))}, too long ago")


def _threshold_heart_rate(
    hard: Sequence[Session], usual: Usual | None, settings: AthleteSettings, highest: float | None, today: date
) -> Known:
    if settings.threshold_heart_rate is not None:
        return Known(settings.threshold_heart_rate, "config")
    recent = _recent(hard, today)
    if not recent:
        return _too_long_ago([session.runs[0].day for session in hard])
    shown = [(bpm, session.runs[0]) for session in recent if (bpm := _shown_threshold(session))]
    easy = None if usual is None else usual.heart_rate_bpm
    shown = [(bpm, run) for bpm, run in shown if easy is None or bpm >= easy + ABOVE_EASY_BPM]
    if not shown:
        return Known(None, UNKNOWN)
    bpm, run = max(shown, key=lambda pair: pair[0])
    if highest is not None:
        bpm = min(max(bpm, OF_MAXIMUM[0] * highest), OF_MAXIMUM[1] * highest)
    return Known(round(bpm, 1), f"learned from the {_word(run)} on {_on(run.day)}")


def _shown_threshold(session: Session) -> float | None:
    metrics = joined(session.parts)[1]
    race = metrics.highest_bpm(THRESHOLD_RACE_S) if session.runs[0].kind == "race" else None
    twenty = metrics.highest_bpm(THRESHOLD_S)
    if race is not None:
        return race
    return None if twenty is None else OF_THRESHOLD_S * twenty


def _threshold_speed(hard: Sequence[Session], usual: Usual | None, today: date) -> Known:
    least, recent = 0.0 if usual is None else ABOVE_EASY * usual.speed_m_s, _recent(hard, today)
    if not recent:
        return _too_long_ago([session.runs[0].day for session in hard])
    shown = []
    for session in recent:
        best = joined(session.parts)[1].best
        shown += [(v * (n / 3600.0) ** RIEGEL, session.runs[0]) for n, v, _ in best if n >= BEST_LEAST_S]
    shown = [(speed, run) for speed, run in shown if speed >= least]
    if not shown:
        return Known(None, UNKNOWN)
    speed, run = max(shown, key=lambda pair: pair[0])
    return Known(round(speed, 3), f"learned from the {_word(run)} on {_on(run.day)}")


def _recent(sessions: Sequence[Session], today: date) -> list[Session]:
    return [session for session in sessions if session.runs[0].day >= today - BEST_SPAN]


def _week(sessions: Sequence[Session], today: date) -> Week | None:
    """Medians over the rolling weeks that end with `today`, or with the last run where that is long ago.

    As far back as there are runs.
    """
    days = [session.runs[0].day for session in sessions if session.runs[0].is_run] or [today]
    last = today if max(days) >= today - AS_OF else max(days)
    count = min(WEEKS, ((last - min(days)).days + 1) // 7)
    if count == 0:
        return None
    weeks = [_one_week(sessions, last - timedelta(days=7 * k)) for k in range(count)]
    names = ("runs", "minutes", "long_run_minutes", "rest_days", "hard_days")
    middle: dict[str, Any] = {name: median([getattr(week, name) for week in weeks]) for name in names}
    return replace(weeks[0], weeks=count, **middle)


def _one_week(sessions: Sequence[Session], last: date) -> Week:
    inside = [session for session in sessions if last - timedelta(days=7) < session.runs[0].day <= last]
    on_foot = [sum(run.moving_s for run in s.runs) / 60.0 for s in inside if s.runs[0].is_run]
    return Week(
        runs=len(on_foot),
        minutes=sum(on_foot),
        long_run_minutes=max(on_foot, default=0.0),
        rest_days=7 - len({session.runs[0].day for session in inside}),
        hard_days=len({session.runs[0].day for session in inside if session.runs[0].hard}),
        weeks=1,
        last=last,
    )


def _sensor(last: Sequence[RunMetrics]) -> str:
    """The grade that half of the last runs reach."""
    grades = sorted(metrics.sensor or "D" for metrics in last)
    middle = grades[len(grades) // 2] if grades else "D"
    return "" if middle == "D" else middle


def _word(run: Run) -> str:
    return run.kind if run.kind in ("race", "tempo") else "long run" if run.kind == "long" else f"{run.kind} session"


def _on(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _document(known: Known) -> dict[str, Any]:
    return {"value": None if known.value is None else round(known.value, 1), "source": known.source}


def _paced(known: Known) -> dict[str, Any]:
    return {"value": round(1000.0 / known.value) if known.value else None, "source": known.source}
