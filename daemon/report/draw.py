"""Draws the picture of an alert: JSON on standard input, a PNG on standard output. The only file that knows matplotlib.

It runs as a process of its own (`python -m daemon.report.draw`), and is imported by nothing that stays.
"""

import io
import sys
import textwrap
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from PIL import Image

from daemon import measures
from daemon.report import formats
from daemon.report.data import EasyHeart, EasyRun, PictureData, Week

# Ink on paper of its own, so that it reads on a white and on a black screen alike. Shape tells what colour tells.
PAPER, INK, MUTED = "#fffdf7", "#17212b", "#4c5863"
BLUE, PALE, BAND = "#1f6391", "#8fbcd6", "#d5e5ee"
RED, ORANGE, PURPLE = "#b3201a", "#c2500a", "#6a2f8f"
OUTLINE = [withStroke(linewidth=10, foreground=PAPER)]
USUAL: dict[str, Any] = {"color": INK, "lw": 3.5, "ls": (0, (2, 1.4))}

WIDTH, HEIGHT, DPI = 10.8, 13.5, 100
"""Inches and dots: 1080 by 1350, three dots to the point on a phone that is 360 points wide."""

SMALL, TEXT, HEAD = 24, 26, 30
"""Type in points: 24 are 11 points on such a phone."""

LEFT = 0.055
FAR = 5.0
"""Runs further from the norm than so many spreads are drawn at the edge."""

MOST_WEEKS, LEAST_WEEKS, WEEKS_BEFORE = 22, 12, 8


def draw(data: PictureData) -> bytes:
    """The PNG."""
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    _title(figure, data.title)
    weeks = shown(data)
    span = _days(weeks, data)
    heart = figure.add_axes((0.105, 0.437, 0.85, 0.34))
    load = figure.add_axes((0.105, 0.11, 0.85, 0.225))
    _headings(figure, data)
    _heart(heart, data, span)
    _weeks(load, data, weeks, span)
    _legend(figure, usual=data.usual_minutes is not None)
    return _png(figure)


def _title(figure: Figure, title: str) -> None:
    """Two lines, smaller where the words are many."""
    size, width = (38, 27) if len(textwrap.wrap(title, 27)) <= 2 else (32, 32)
    lines = textwrap.wrap(title, width)[:2]
    figure.text(LEFT, 0.975, "\n".join(lines), size=size, weight="bold", color=INK, va="top", linespacing=1.15)


def _headings(figure: Figure, data: PictureData) -> None:
    pace = f" at {measures.pace(data.easy.at_pace_s_per_km, data.units)}" if data.easy else ""
    figure.text(LEFT, 0.851, f"Easy heart rate{pace}", size=HEAD, weight="bold", color=INK, va="center")
    if data.easy is not None:
        norm = f"norm {data.easy.norm_bpm:.0f} bpm; shaded: as one run strays"
        figure.text(LEFT, 0.815, norm, size=SMALL, color=MUTED, va="center")
    figure.text(LEFT, 0.363, "Minutes a week", size=HEAD, weight="bold", color=INK, va="center")
    figure.text(0.955, 0.363, "below: rest days", size=SMALL, color=MUTED, va="center", ha="right")


def shown(data: PictureData) -> Sequence[Week]:
    """The weeks that are drawn: from some weeks before intensity came, as far as a phone has room."""
    since = data.today - timedelta(weeks=LEAST_WEEKS)
    if data.came_on is not None and data.today - data.came_on < timedelta(weeks=MOST_WEEKS):
        since = min(since, data.came_on - timedelta(weeks=WEEKS_BEFORE))
    first = max(since, data.today - timedelta(weeks=MOST_WEEKS))
    return [week for week in data.weeks if week.monday + timedelta(days=6) >= first] or data.weeks[-1:]


def _days(weeks: Sequence[Week], data: PictureData) -> tuple[float, float]:
    """The days from the first Monday to the end of the last week, as numbers."""
    first = weeks[0].monday if weeks else data.today - timedelta(weeks=LEAST_WEEKS)
    last = weeks[-1].monday + timedelta(days=6) if weeks else data.today
    return first.toordinal() - 0.5, last.toordinal() + 0.5


def _heart(axes: Any, data: PictureData, span: tuple[float, float]) -> None:
    _plain(axes, span)
    _months(axes, span)
    easy = data.easy
    seen = [run for run in easy.runs if span[0] <= run.day.toordinal() <= span[1]] if easy else []
    if easy is None or not seen:
        axes.set_yticks([])
        words = "Not enough easy runs with\nheart rate to compare"
        axes.text(0.5, 0.5, words, size=TEXT, color=MUTED, ha="center", va="center", transform=axes.transAxes)
        return
    low, high = _reach(easy, seen)
    room = max(high - low, 8.0)
    axes.set_ylim(low - 0.2 * room, high + 0.34 * room)
    axes.axhspan(easy.norm_bpm - easy.spread_bpm, easy.norm_bpm + easy.spread_bpm, color=BAND, lw=0)
    axes.axhline(easy.norm_bpm, color=BLUE, lw=4)
    _runs(axes, easy, seen, (low, high))
    _hard(axes, data, span, low - 0.12 * room)
    _came(axes, data, high + 0.32 * room)
    many = sum(run.compared for run in easy.runs)
    if many and easy.delta_bpm is not None:
        number = f"{formats.signed(easy.delta_bpm)} bpm, {formats.count(many, 'run')}"
        place = {"ha": "right", "va": "center", "size": HEAD, "weight": "bold", "path_effects": OUTLINE}
        axes.text(span[1] - 0.5, high + 0.12 * room, number, color=_accent(easy), **place)


def _reach(easy: EasyHeart, seen: Sequence[EasyRun]) -> tuple[float, float]:
    """The heart rates that are drawn: those compared, and the others as far as one that is out presses none flat."""
    far = FAR * easy.spread_bpm
    inside = [run.bpm for run in seen if run.compared or abs(run.bpm - easy.norm_bpm) <= far]
    band = easy.norm_bpm - easy.spread_bpm, easy.norm_bpm + easy.spread_bpm
    return min(inside + [band[0]]), max(inside + [band[1]])


def _runs(axes: Any, easy: EasyHeart, seen: Sequence[EasyRun], reach: tuple[float, float]) -> None:
    """Rings for the runs before, discs for those compared; one that lies beyond is an arrow at the edge."""
    ring = {"ms": 13, "mfc": PAPER, "mec": BLUE, "mew": 3.5, "ls": ""}
    low, high = reach
    for mark, runs in (
        ("o", [run for run in seen if not run.compared and low <= run.bpm <= high]),
        ("v", [run for run in seen if run.bpm < low]),
        ("^", [run for run in seen if run.bpm > high]),
    ):
        at = [min(max(run.bpm, low), high) for run in runs]
        axes.plot([run.day.toordinal() for run in runs], at, marker=mark, **ring)
    after = [run for run in seen if run.compared]
    disc = {"ms": 20, "mfc": _accent(easy), "mec": PAPER, "mew": 2.5, "ls": "", "clip_on": False}
    axes.plot([run.day.toordinal() for run in after], [run.bpm for run in after], marker="o", **disc)


def _accent(easy: EasyHeart) -> str:
    return RED if easy.raised else BLUE


def _hard(axes: Any, data: PictureData, span: tuple[float, float], at: float) -> None:
    days = [day.toordinal() for day in data.hard_days if span[0] <= day.toordinal() <= span[1]]
    axes.plot(days, [at] * len(days), "^", ms=16, color=ORANGE, mec=PAPER, mew=1.5)


def _came(axes: Any, data: PictureData, at: float) -> None:
    """The line on which intensity came; its words stand where there is room."""
    if data.came_on is None:
        return
    day, (first, last) = data.came_on.toordinal(), axes.get_xlim()
    if not first <= day <= last:
        return
    axes.axvline(day - 0.5, color=PURPLE, lw=4, ls=(0, (3, 1.6)))
    words = f"intensity {'stepped up' if data.stepped_up else 'came'} {formats.day(data.came_on)}"
    left = day - first > (last - first) * 0.5
    axes.text(day - 1.5 if left else day + 0.8, at, words, size=TEXT, color=PURPLE, weight="bold",
              ha="right" if left else "left", va="top")  # fmt: skip


def _weeks(axes: Any, data: PictureData, weeks: Sequence[Week], span: tuple[float, float]) -> None:
    _plain(axes, span)
    for week in weeks:
        at = week.monday.toordinal() + 3
        axes.bar(at, week.easy_minutes, 5.6, color=PALE, edgecolor=BLUE, lw=2)
        if week.hard_minutes:
            axes.bar(
                at, week.hard_minutes, 5.6, bottom=week.easy_minutes, color=ORANGE, edgecolor=INK, lw=2, hatch="//"
            )
    top = max([week.minutes for week in weeks] + [data.usual_minutes or 0.0, 30.0])
    axes.set_ylim(0, 1.08 * top)
    if data.usual_minutes is not None:
        axes.axhline(data.usual_minutes, **USUAL)
    if data.came_on is not None and span[0] <= data.came_on.toordinal() <= span[1]:
        axes.axvline(data.came_on.toordinal() - 0.5, color=PURPLE, lw=4, ls=(0, (3, 1.6)))
    # Of a week that isn't over, no one knows how many days of rest it will have.
    rest = [str(week.rest_days) if len(week.days) == 7 else "" for week in weeks]
    axes.set_xticks([week.monday.toordinal() + 3 for week in weeks], rest)
    axes.tick_params(axis="x", length=0, labelsize=SMALL, pad=8)
    axes.set_yticks(_ticks(top))


def _ticks(top: float) -> list[float]:
    """Zero and two or three round numbers."""
    step = next(step for step in (15, 30, 60, 120, 180, 300, 600, 1200, 6000) if top / step < 4)
    return [n * step for n in range(int(top / step) + 1)]


def _legend(figure: Figure, *, usual: bool) -> None:
    handles: list[Any] = [
        Patch(facecolor=PALE, edgecolor=BLUE, lw=2, label="easy"),
        Patch(facecolor=ORANGE, edgecolor=INK, lw=2, hatch="//", label="hard"),
        *([Line2D([], [], label="usual week", **USUAL)] if usual else []),
        Line2D([], [], ls="", marker="^", ms=16, color=ORANGE, label="hard run"),
    ]
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.035, 0.002), ncols=4, frameon=False,
                  fontsize=SMALL, labelcolor=INK, handlelength=1.3, handletextpad=0.5, columnspacing=1.3)  # fmt: skip


def _plain(axes: Any, span: tuple[float, float]) -> None:
    axes.set_facecolor(PAPER)
    axes.set_xlim(*span)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.spines["bottom"].set_linewidth(2)
    axes.tick_params(axis="both", colors=INK, labelsize=SMALL, length=0)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, min_n_ticks=2))
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#dcd9cf", lw=1.5)


def _months(axes: Any, span: tuple[float, float]) -> None:
    """The first of each month, named."""
    firsts = [d for d in map(date.fromordinal, range(int(span[0]) + 1, int(span[1]) + 1)) if d.day == 1]
    axes.set_xticks([d.toordinal() for d in firsts], [f"{d:%b}" for d in firsts])
    axes.tick_params(axis="x", length=10, width=2, color=MUTED)


def _png(figure: Figure) -> bytes:
    """A palette: 40 kB where full colour takes 130."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", facecolor=PAPER)
    out = io.BytesIO()
    Image.open(drawn).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(out, format="png", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    sys.stdout.buffer.write(draw(PictureData.from_json(sys.stdin.read())))
