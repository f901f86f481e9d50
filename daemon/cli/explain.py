"""`pullback explain`: one run, how it was read and what it was compared with. Reads; changes nothing."""

from datetime import datetime, tzinfo
from typing import Annotated, Any

import typer

from daemon.cli import show
from daemon.cli.session import Session, known_athlete


def command(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="ID", help="The run's id, as `pullback runs` lists it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the document as JSON.")] = False,
) -> None:
    """Explain one run: how it was cleaned, what it was called, what it was compared with."""
    from daemon import evaluate

    session: Session = context.obj
    with session.store() as store:
        document = evaluate.explain(store, known_athlete(store), session.config(), number)
        zone = session.zone(store)
    if as_json:
        show.as_json(document)
    else:
        show.out(explanation(document, zone, session.config().athlete.units or "metric"))


def explanation(document: dict[str, Any], zone: tzinfo, units: str) -> list[show.Part]:
    """The document for a reader: short labelled lines."""
    labelled = (
        ("Run", _run(document["run"], units)),
        ("Recording", _recording(document["cleaning"])),
        ("Called", _called(document["classification"], units)),
        ("Easy heart rate", _easy_heart_rate(document["easy_heart_rate"], units)),
        ("Counted", _counted(document["contribution"])),
        ("That day", _that_day(document["contribution"])),
    )
    run = document["run"]
    start = datetime.fromisoformat(run["start"]).astimezone(zone)
    parts: list[show.Part] = [show.Line(f"{run['name'] or 'Run'}, {start:%Y-%m-%d %H:%M}", "bold")]
    for label, lines in labelled:
        parts += [show.Line(f"{label}: {lines[0]}"), *(show.Line(line, indent=2) for line in lines[1:])]
    return parts


def _run(run: dict[str, Any], units: str) -> list[str]:
    minutes, km = run["moving_time_s"] / 60, run["distance_m"] / 1000
    lines = [f"{run['sport']}, {show.distance(km, units)} in {minutes:.0f} minutes"]
    if run["device"]:
        lines[0] += f", {run['device']}"
    if run["feel"]:
        lines.append(f"you said it felt {run['feel']}")
    if run["perceived_exertion"] is not None:
        lines.append(f"perceived exertion {run['perceived_exertion']:g} of 10")
    return lines + [f"you said of that day: {answer['reason']}" for answer in run["answers"]]


def _recording(cleaning: dict[str, Any]) -> list[str]:
    if cleaning["trust"] == "summary":
        return ["only its summary is known, so it weighs less"]
    lines = [f"heart rate can be used for {cleaning['heart_rate_share']:.0%} of the moving time"]
    return lines + [f"{fault['what']}: {fault['share']:.0%}, not used" for fault in cleaning["faults"]]


def _called(judged: dict[str, Any], units: str) -> list[str]:
    hard = f"hard, {judged['hard_minutes']:.0f} minutes of it" if judged["hard"] else "not hard"
    lines = [f"{judged['kind']}, {hard}"]
    if judged["usual"] is None:
        return lines
    usual = judged["usual"]
    heart = f" at {usual['bpm']:.0f} bpm" if usual["bpm"] is not None else ""
    lines.append(f"your usual then: {show.pace_unit(usual['pace_s_per_km'], units)}{heart}")
    fast = judged["fast_stretches"]
    if fast:
        seconds = sum(stretch["seconds"] for stretch in fast)
        slowest, quickest = max(s["pace_s_per_km"] for s in fast), min(s["pace_s_per_km"] for s in fast)
        paces = " to ".join(dict.fromkeys(show.pace_unit(pace, units) for pace in (quickest, slowest)))
        many = "1 fast stretch" if len(fast) == 1 else f"{len(fast)} fast stretches"
        enough = "" if judged["hard"] else ", not enough for a hard session"
        lines.append(f"{many}, {seconds // 60}:{seconds % 60:02d} in all, at {paces}{enough}")
    else:
        lines.append("nothing in it was much faster than that")
    return lines


def _easy_heart_rate(easy: dict[str, Any], units: str) -> list[str]:
    reading = easy["reading"]
    if reading is None:
        return [f"left out: {easy['left_out']}"]
    lines = [
        f"{reading['bpm']:.1f} bpm at {show.pace_unit(reading['at_pace_s_per_km'], units)}, give or take "
        f"{reading['se_bpm']:.1f}, from {reading['minutes']:.0f} minutes"
    ]
    norm = easy["compared_with"]
    if norm is None:
        return [*lines, "not compared with a norm"]
    lines += [f"{FACTORS[factor]}: {bpm:+.1f} bpm" for factor, bpm in easy["corrections_bpm"].items() if bpm]
    lines.append(
        f"your norm: {norm['norm_bpm']:.1f} bpm at {show.pace_unit(norm['at_pace_s_per_km'], units)}, "
        f"from {len(norm['runs'])} runs"
    )
    side = "above" if easy["residual_bpm"] >= 0 else "below"
    usual = f"one run alone strays by {easy['usual_spread_bpm']:.1f}"
    return [*lines, f"so {abs(easy['residual_bpm']):.1f} bpm {side} your norm; {usual}"]


def _counted(contribution: dict[str, Any]) -> list[str]:
    lines = [f"as much load as {contribution['load']:.0f} easy minutes"]
    return [*lines, "its day is a hard day"] if contribution["hard_day"] else lines


def _that_day(contribution: dict[str, Any]) -> list[str]:
    if contribution["verdict"] is None:
        return ["not judged yet; the next `pullback sync` does"]
    lines = [contribution["verdict"].replace("_", " ")]
    for signal in contribution["signals"]:
        part = PARTS.get(signal["this_run"] or "", "")
        lines.append(f"{signal['name'].replace('_', ' ')} ({signal['level']}): {signal['summary']}{part}")
    return lines


FACTORS = {
    "pace": "pace",
    "heat": "heat",
    "time_of_day": "time of day",
    "after_hard": "the day after a hard session",
    "lay_off": "back from a break",
    "sensor": "another sensor",
    "new_normal": "your new normal",
}
PARTS = {
    "compared": " This run was one of those compared.",
    "norm": " This run was part of the norm.",
    "left out": " This run was left out.",
}
