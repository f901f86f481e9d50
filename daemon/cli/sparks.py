"""The last twelve weeks in three rows of a terminal: easy heart rate against its norm, minutes, hard days. Pure.

Heights say what a colour would; where a terminal has no blocks to draw with, the numbers themselves stand there.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from statistics import median

from daemon.cli.show import Line
from daemon.measures import pace
from daemon.report.data import EasyHeart, PictureData, Week

WEEKS = 12
LABEL = 16
"""Columns of a row's name; its figures stand to the right of the weeks."""
BLOCKS = "▁▂▃▄▅▆▇█"
NORM = 3
"""The block that is the norm: three below it, four above."""


def rows(data: PictureData, blocks: bool) -> list[Line]:
    """A heading and a row for each, the running week last; [] where nothing was run in them. `blocks`: else numbers."""
    weeks = data.weeks[-WEEKS:]
    if not any(week.minutes or week.hard_days for week in weeks):
        return []
    at_pace = f"at {pace(data.easy.at_pace_s_per_km, data.units)}" if data.easy else ""
    day = f"to {data.today.day} {data.today:%b}"
    heading = "; bpm ".join(filter(None, [day, at_pace])) if blocks else at_pace or day
    lines = [Line(_row("", [f"{w.monday:%b}" if w.monday.day <= 7 else "" for w in weeks], blocks) + f"  {heading}")]
    if data.easy is not None:
        lines.append(_easy(data.easy, weeks, blocks))
    return [*lines, _minutes(weeks, data.usual_minutes, blocks), _hard_days(weeks, blocks)]


def can_draw(encoding: str | None, environ: Mapping[str, str]) -> bool:
    """Whether blocks come out as blocks: text is UTF-8, the locale isn't C, and it isn't the bare Linux console."""
    # Python itself writes C.UTF-8 there where LANG is C: that says nothing of the terminal.
    named = environ.get("LC_CTYPE", "")
    locale = environ.get("LC_ALL") or (named if named != "C.UTF-8" else "") or environ.get("LANG", "")
    utf8 = (encoding or "").lower().replace("-", "") == "utf8"
    return utf8 and locale not in ("C", "POSIX") and environ.get("TERM") != "linux"


def _row(label: str, cells: Sequence[str], blocks: bool) -> str:
    width = 3 if blocks else 4
    return label.ljust(LABEL) + "".join(cell.rjust(width) for cell in cells)


def _easy(easy: EasyHeart, weeks: Sequence[Week], blocks: bool) -> Line:
    above = [_above(easy, week) for week in weeks]
    known = [bpm for bpm in above if bpm is not None]
    cells = _cells(above, _height(known) if blocks else _signed)
    norm = f"  norm {easy.norm_bpm:.0f} \N{PLUS-MINUS SIGN}{easy.spread_bpm:.0f}"
    if not blocks:
        figures = f"  on {easy.norm_bpm:.0f} bpm"
    elif known:
        figures = f"{norm} ({BLOCKS[NORM]}), now {easy.norm_bpm + known[-1]:.0f}"
    else:
        figures = norm
    return Line(_row("Easy heart rate", cells, blocks) + figures, "red" if easy.raised else "")


def _above(easy: EasyHeart, week: Week) -> float | None:
    """How far the week's easy runs lay above the norm at the middle, in bpm; None without one."""
    end = week.monday + timedelta(weeks=1)
    found = [run.bpm for run in easy.runs if week.monday <= run.day < end]
    return median(found) - easy.norm_bpm if found else None


def _signed(bpm: float) -> str:
    return f"{round(bpm):+d}" if round(bpm) else "0"


def _height(above: Sequence[float]) -> Callable[[float], str]:
    """Blocks around that of the norm; one step is a beat, or more where a week is further away than blocks reach."""
    up, down = max([0.0, *above]), -min([0.0, *above])
    step = max(1.0, up / (len(BLOCKS) - 1 - NORM), down / NORM)
    return lambda bpm: 2 * BLOCKS[NORM + round(bpm / step)]


def _minutes(weeks: Sequence[Week], usual: float | None, blocks: bool) -> Line:
    most = max(week.minutes for week in weeks) or 1.0
    values = [week.minutes if round(week.minutes) else None for week in weeks]
    cells = _cells(values, (lambda m: 2 * BLOCKS[round(m / most * (len(BLOCKS) - 1))]) if blocks else "{:.0f}".format)
    figures = f"usual {usual:.0f}" if usual is not None else ""
    if blocks and len(weeks) > 1:
        figures = ", ".join([f"last week {weeks[-2].minutes:.0f}", *([figures] if figures else [])])
    return Line(f"{_row('Minutes a week', cells, blocks)}  {figures}".rstrip())


def _hard_days(weeks: Sequence[Week], blocks: bool) -> Line:
    return Line(_row("Hard days", _cells([week.hard_days or None for week in weeks], str), blocks))


def _cells(values: Sequence[float | None], show: Callable[[float], str]) -> list[str]:
    return ["." if value is None else show(value) for value in values]
