"""What each chart of the page draws and says, worked out to places and words; the templates write it down. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from daemon import measures
from daemon.report import formats
from daemon.report.data import Course, EasyHeart, EasyRun, HardSession, PageData, Reading, Stretch
from daemon.report.scales import Across, Down, Tick, gapless, path

WEEKS = 26
"""So many weeks are shown day by day."""

FAR = 5.0
"""Runs further from the norm than so many spreads are drawn at the edge."""

LONGEST_HOURS = 240.0
"""More time than this between two hard sessions is drawn as so much."""

BESIDE = 8.0
"""Percent of the width that the numbers of the scale take."""

STEPS = {"learning": 7, "stable": 11, "absorbing": 15, "recovering": 20, "watch": 24, "pull_back": 30}
"""How high a verdict stands in the strip of all days, in pixels: told without colour."""

LETTERS = {"hard": "H", "long": "L", "other": "·"}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Dot:
    """One mark: percent across, pixels down, what it is (a class), and its words."""

    x: float
    y: float
    what: str
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One box: percent across and wide, pixels down and high."""

    x: float
    width: float
    y: float
    height: float
    what: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """What is common to all charts. `came` is where intensity came; `line` is a level worth a line, with its words.

    `says` is the chart in words, for who doesn't see it.
    """

    height: float
    base: float
    says: str
    across: tuple[Tick, ...]
    down: tuple[Tick, ...] = ()
    dots: tuple[Dot, ...] = ()
    bars: tuple[Bar, ...] = ()
    back: tuple[Bar, ...] = ()
    paths: tuple[str, ...] = ()
    rug: tuple[float, ...] = ()
    came: Tick | None = None
    line: Tick | None = None


def easy_chart(data: PageData) -> Chart | None:
    """Easy heart rate run by run at the norm's pace, with the norm, its band and the hard sessions."""
    easy = data.easy
    if easy is None:
        return None
    across = Across(easy.runs[0].day, data.until, left=BESIDE)
    far, norm, spread = FAR * easy.spread_bpm, easy.norm_bpm, easy.spread_bpm
    inside = [run.bpm for run in easy.runs if run.compared or abs(run.bpm - norm) <= far]
    down = Down(min([*inside, norm - spread]) - 1, max([*inside, norm + spread]) + 1, 34, 222)
    top, bottom = down.at(norm + spread), down.at(norm - spread)
    dots = tuple(
        Dot(
            across.at(run.day),
            down.at(run.bpm),
            _what(run, easy, down),
            f"{formats.full_day(run.day)}: {run.bpm:.0f} bpm, {formats.signed(run.bpm - norm)}",
        )
        for run in easy.runs
    )
    hard = sorted({session.day for session in data.sessions if across.holds(session.day)})
    return Chart(
        height=270,
        base=246,
        says=_easy_says(data, len(hard)),
        across=across.ticks(),
        down=down.ticks(),
        dots=dots,
        back=(Bar(0, 100, top, round(bottom - top, 1), "band"),),
        rug=tuple(across.at(day) for day in hard),
        came=_came(data, across),
        line=Tick(down.at(norm), ""),
    )


def _what(run: EasyRun, easy: EasyHeart, down: Down) -> str:
    if run.compared:
        return "raised" if easy.raised else "level"
    return "below" if run.bpm < down.low else "above" if run.bpm > down.high else "before"


def _easy_says(data: PageData, hard: int) -> str:
    easy = data.easy
    assert easy is not None
    many = sum(run.compared for run in easy.runs)
    text = (
        f"{formats.count(len(easy.runs), 'easy run')} since {formats.full_day(easy.runs[0].day)}, brought to "
        f"{measures.pace(easy.at_pace_s_per_km, data.units)} and to the norm's conditions. "
        f"Today's norm is {easy.norm_bpm:.0f} bpm; one run strays by "
        f"{easy.spread_bpm:.0f} from the norm of its own day by itself. "
    )
    if many and easy.delta_bpm is not None:
        text += f"The last {formats.count(many, 'run')} compared with it lie at {formats.signed(easy.delta_bpm)} bpm. "
    if data.came_on is not None:
        text += f"Intensity {came_word(data)} on {formats.full_day(data.came_on)}. "
    return text + f"{formats.count(hard, 'hard session').capitalize()} in that time."


def came_word(data: PageData) -> str:
    return "was stepped up" if data.stepped_up else "came"


def _came(data: PageData, across: Across) -> Tick | None:
    if data.came_on is None or not across.holds(data.came_on):
        return None
    words = "stepped up" if data.stepped_up else "came"
    return Tick(across.at(data.came_on, 0), f"intensity {words} {formats.day(data.came_on)}")


def course_chart(data: PageData) -> Chart | None:
    """How far easy running lay from its norm on every day there is, over the stretches of watch and pull-back."""
    seen = data.above_norm
    if not seen:
        return None
    across = Across(data.stretches[0].first, max(data.until, seen[-1].day), left=BESIDE)
    most = max(4.0, *(abs(reading.score) for reading in seen)) + 0.5
    down = Down(-most, most, 8, 132)
    days = [reading.day for reading in seen]
    paths = tuple(
        path((across.at(reading.day), down.at(reading.score)) for reading in seen[begin:end])
        for begin, end in gapless(days)
        if end - begin > 1
    )
    top = max(seen, key=lambda reading: reading.score)
    says = (
        f"The mean of the last three easy runs against the norm of each day, from {formats.full_day(days[0])} to "
        f"{formats.full_day(days[-1])}. Highest: {formats.signed(top.score)} bpm on {formats.full_day(top.day)}; "
        f"now {formats.signed(seen[-1].score)} bpm. Shaded where the verdict was watch, pull back or recovering."
    )
    shown = [stretch for stretch in data.stretches if stretch.first <= across.last]
    back = tuple(b for b in _stretches(shown, across) if b.what in ("watch", "pull_back", "recovering"))
    return Chart(
        height=164,
        base=140,
        says=says,
        across=across.ticks(),
        down=down.ticks(),
        paths=paths,
        back=back,
        came=_came(data, across) if across.last - across.first < timedelta(days=420) else None,
        line=Tick(down.at(0), ""),
    )


def verdict_chart(data: PageData) -> Chart:
    """One strip of all days, by verdict."""
    across = Across(data.stretches[0].first, data.verdict.day)
    said: dict[str, int] = {}
    for stretch in data.stretches:
        said[stretch.state] = said.get(stretch.state, 0) + (stretch.last - stretch.first).days + 1
    shares = ", ".join(f"{formats.words(state)} on {formats.count(days, 'day')}" for state, days in said.items())
    dots = tuple(
        Dot(across.at(told.day), 8, f"told {told.kind}", f"{formats.full_day(told.day)}: {told.title}")
        for told in data.told
        if across.holds(told.day)
    )
    return Chart(
        height=72,
        base=48,
        says=f"From {formats.full_day(across.first)} to {formats.full_day(across.last)}: {shares}.",
        across=across.ticks(),
        bars=tuple(
            replace(bar, y=48 - STEPS[bar.what], height=STEPS[bar.what]) for bar in _stretches(data.stretches, across)
        ),
        dots=dots,
    )


def _stretches(stretches: Sequence[Stretch], across: Across) -> list[Bar]:
    """Each as high as the chart of the course, 140 pixels."""
    return [
        Bar(
            across.at(stretch.first, 0),
            round(across.at(stretch.last, 1) - across.at(stretch.first, 0), 2),
            0,
            140,
            stretch.state,
            f"{formats.words(stretch.state)}, {formats.full_day(stretch.first)} to {formats.full_day(stretch.last)}",
        )
        for stretch in stretches
    ]


def silence(data: PageData) -> str:
    """That the weeks shown lie long before today; "" where they don't."""
    if data.until >= data.verdict.day:
        return ""
    weeks = formats.count(min(WEEKS, len(data.weeks)), "week")
    these = "this is the" if weeks == "1 week" else "these are the"
    return f"There is nothing newer: {these} {weeks} up to {formats.full_day(data.until)}."


def load_chart(data: PageData) -> Chart | None:
    """Load of the last weeks, with the usual week."""
    weeks = data.weeks[-WEEKS:]
    if not weeks:
        return None
    across = Across(weeks[0].monday, weeks[-1].monday + timedelta(days=6), left=BESIDE)
    top = max([week.load for week in weeks] + [data.usual_load or 0.0, 60.0])
    down = Down(0, top * 1.04, 22, 186)
    bars = []
    for week in weeks:
        x = across.at(week.monday, 0.6)
        width = round(across.at(week.monday + timedelta(days=6), 0.4) - x, 2)
        easy = min(week.easy_minutes, week.load)
        words = f"Week of {formats.full_day(week.monday)}: load {week.load:.0f}, {week.easy_minutes:.0f} easy minutes"
        y, knee = down.at(week.load), down.at(easy)
        bars.append(Bar(x, width, knee, round(186 - knee, 1), "easy", words))
        if knee - y > 0.5:
            bars.append(Bar(x, width, y, round(knee - y, 1), "hard", words))
    usual = None if data.usual_load is None else Tick(down.at(data.usual_load), "")
    says = f"Load of each of the last {formats.count(len(weeks), 'week')}, in easy minutes. "
    if data.usual_load is not None:
        says += f"A usual week has {data.usual_load:.0f}. "
    whole = [week for week in weeks if len(week.days) == 7]
    if whole:
        says += f"The last whole week had {whole[-1].load:.0f}."
    return Chart(height=210, base=186, says=says, across=across.ticks(), down=down.ticks(), bars=tuple(bars),
                 came=_came(data, across), line=usual)  # fmt: skip


def calendar_chart(data: PageData) -> Chart | None:
    """Every day of the last weeks, Monday at the top: hard, long, easy, another sport, rest."""
    weeks = data.weeks[-WEEKS:]
    if not weeks:
        return None
    across = Across(weeks[0].monday, weeks[-1].monday + timedelta(days=6), left=9.0, right=100.0)
    bars = []
    for week in weeks:
        x = across.at(week.monday, 0.35)
        width = round(across.at(week.monday + timedelta(days=6), 0.65) - x, 2)
        for n, kind in enumerate(week.days):
            day = week.monday + timedelta(days=n)
            bars.append(Bar(x, width, 4 + 19 * n, 16, kind, f"{WEEKDAYS[n]} {formats.full_day(day)}: {kind}"))
    marks = tuple(
        Dot(round(bar.x + bar.width / 2, 2), bar.y + 12, bar.what, LETTERS[bar.what])
        for bar in bars
        if bar.what in LETTERS
    )
    hard, rest = sum(week.hard_days for week in weeks), sum(week.rest_days for week in weeks)
    says = (
        f"The days of the last {formats.count(len(weeks), 'week')}: {formats.count(hard, 'hard day')} and "
        f"{formats.count(rest, 'rest day')}. The table below has them week by week."
    )
    return Chart(height=160, base=138, says=says, across=across.ticks(), bars=tuple(bars), dots=marks,
                 down=tuple(Tick(16 + 19 * n, name) for n, name in enumerate(WEEKDAYS)))  # fmt: skip


def spacing_chart(data: PageData) -> Chart | None:
    """Time between hard sessions: from the end of one to the start of the next."""
    sessions = recent_sessions(data)
    if not any(session.hours is not None for session in sessions):
        return None
    across = Across(data.until - timedelta(weeks=WEEKS), data.until, left=BESIDE)
    down = Down(0, LONGEST_HOURS, 16, 150)
    dots = tuple(
        Dot(across.at(s.day), down.at(s.hours), "close" if s.hours < data.close_hours else "apart", _gap_words(s))
        for s in sessions
        if s.hours is not None
    )
    close = sum(dot.what == "close" for dot in dots)
    says = (
        f"{formats.count(len(dots), 'hard session').capitalize()} in {WEEKS} weeks that had another before; "
        f"{close or 'none'} of them came less than {data.close_hours:.0f} hours after it."
    )
    ticks = tuple(Tick(down.at(24 * days), f"{days} days") for days in (4, 7, 10))
    close_line = Tick(down.at(data.close_hours), f"{data.close_hours:.0f} hours")
    return Chart(height=178, base=154, says=says, across=across.ticks(), down=ticks, dots=dots, line=close_line,
                 came=_came(data, across))  # fmt: skip


def recent_sessions(data: PageData) -> tuple[HardSession, ...]:
    first = data.until - timedelta(weeks=WEEKS)
    return tuple(session for session in data.sessions if session.day >= first)


def _gap_words(session: HardSession) -> str:
    return f"{formats.full_day(session.day)}, {session.kind}: {formats.gap(session.hours or 0.0)} after the one before"


def sparkline(course: Course, today: date) -> Chart:
    """One signal's score over the last weeks, with the line from which on it is up."""
    across = Across(today - timedelta(weeks=WEEKS) + timedelta(days=1), today, left=0.0, right=98.0)
    seen = [reading for reading in course.readings if across.holds(reading.day)]
    top = 2 * course.line if course.line else max([reading.score for reading in seen] + [1.0]) * 1.1
    down = Down(0, top, 4, 40)
    paths = tuple(
        path((across.at(reading.day), down.at(reading.score)) for reading in seen[begin:end])
        for begin, end in gapless([reading.day for reading in seen])
        if end - begin > 1
    )
    last = seen[-1] if seen and seen[-1].day == today else None
    return Chart(
        height=44,
        base=40,
        says=_sparkline_says(course, seen),
        across=(),
        paths=paths,
        back=tuple(_up(seen, across)),
        dots=(Dot(across.at(today), down.at(last.score), last.level, ""),) if last else (),
        line=None if course.line is None else Tick(down.at(course.line), ""),
    )


def _up(seen: Sequence[Reading], across: Across) -> list[Bar]:
    """The days on which it was up, in stretches of one level."""
    bars = []
    days = [reading for reading in seen if reading.level != "ok"]
    begin = 0
    for n in range(1, len(days) + 1):
        over = n == len(days) or days[n].level != days[begin].level or days[n].day - days[n - 1].day > timedelta(days=1)
        if over:
            x = across.at(days[begin].day, 0)
            bars.append(Bar(x, round(across.at(days[n - 1].day, 1) - x, 2), 0, 44, days[begin].level))
            begin = n
    return bars


def _sparkline_says(course: Course, seen: Sequence[Reading]) -> str:
    if not seen:
        return f"No reading in the last {WEEKS} weeks."
    up = [reading for reading in seen if reading.level != "ok"]
    text = f"Score {seen[-1].score:.1f}, highest {max(r.score for r in seen):.1f}"
    if course.line is None:
        return f"{text} in {WEEKS} weeks."
    text += f"; the line is at {course.line:g}. "
    if not up:
        return text + "Never up."
    alert = sum(reading.level == "alert" for reading in up)
    also = f", {alert} of them as an alert" if alert else ""
    if seen[-1].level != "ok" and seen[-1].score < course.line:
        text += "It stays up until it is clearly below. "
    return text + f"Up on {formats.count(len(up), 'day')}{also}, last on {formats.full_day(up[-1].day)}."
