"""`pullback explain`: one run, how it was read and what it was compared with. Reads; changes nothing."""

from datetime import date, datetime, tzinfo
from typing import Annotated, Any

import typer

from daemon import measures, wording
from daemon.cli import runner, show
from daemon.cli.runs import which
from daemon.cli.session import Session, known_athlete
from daemon.harmless import one_line

PUZZLING_BPM = 3.0
"""So far apart two heart rates of easy running need a word [ENG]."""


def command(
    context: typer.Context,
    run: Annotated[
        str,
        typer.Argument(
            metavar="[ID|last]",
            autocompletion=lambda: ["last"],
            help="The run's id, as `pullback runs` lists it (default: your newest).",
        ),
    ] = "last",
    as_json: Annotated[bool, typer.Option("--json", help="Print the document as JSON.")] = False,
) -> None:
    """Explain one run: how it was cleaned, what it was called, what it was compared with."""
    from daemon import evaluate
    from daemon.evaluate import history

    session: Session = context.obj
    number = which(run)
    with session.store() as store:
        athlete_id = known_athlete(store)
        asked = history.newest_run(store, athlete_id).id if number is None else number
        document = evaluate.explain(store, athlete_id, session.config(), asked)
        zone, units = session.zone(store), session.units(store)
    if as_json:
        show.as_json(document)
    else:
        show.out(explanation(document, zone, units))


def explanation(document: dict[str, Any], zone: tzinfo, units: str) -> list[show.Part]:
    """The document for a reader: short labelled lines."""
    run = document["run"]
    labelled = (
        ("Run", _run(run, units)),
        ("Recording", _recording(document["cleaning"])),
        ("Called", _called(document["classification"], run["id"], units)),
        ("Easy heart rate", _easy_heart_rate(document["easy_heart_rate"], document["classification"]["usual"], units)),
        ("Counted", _counted(document["contribution"], document["classification"])),
        ("You then", runner.athlete(document["athlete"], units)),
        ("That day", _that_day(document["contribution"])),
    )
    start = datetime.fromisoformat(run["start"]).astimezone(zone)
    parts: list[show.Part] = [show.Line(f"{show.named(run['name'])}, {start:%Y-%m-%d %H:%M}", "bold")]
    for label, lines in labelled:
        parts.append(show.Line(f"{label}: {lines[0]}", hang=2))
        parts += [show.Line(line, indent=2, hang=2) for line in lines[1:]]
    return parts


def _run(run: dict[str, Any], units: str) -> list[str]:
    length, long = measures.distance(run["distance_m"], units), measures.duration(run["moving_time_s"] / 60)
    sport = "" if run["sport"] == "Run" else f"{run['sport']}, "
    lines = [f"{sport}{length} in {long}"]
    if run["device"]:
        lines[0] += f", {one_line(run['device'], runner.DEVICE_LENGTH)}"
    if run["feel"]:
        lines.append(f"you said it felt {run['feel']}")
    if run["perceived_exertion"] is not None:
        lines.append(f"perceived exertion {run['perceived_exertion']:g} of 10")
    return lines + [f"you said of that day: {answer['reason']}" for answer in run["answers"]]


def _recording(cleaning: dict[str, Any]) -> list[str]:
    if cleaning["trust"] == "summary":
        return ["only its summary is known, so it weighs less"]
    lines = [f"heart rate can be used for {100 * cleaning['heart_rate_share']:.0f} % of the moving time"]
    return lines + [f"{fault['what']}: {100 * fault['share']:.0f} %, not used" for fault in cleaning["faults"]]


def _called(judged: dict[str, Any], number: int, units: str) -> list[str]:
    minutes = round(judged["hard_minutes"])
    long = f"{minutes} minute{'' if minutes == 1 else 's'}" if minutes else "under a minute"
    hard = f"hard for {long}" if judged["hard"] else "not hard"
    lines = [f"{judged['kind']}, {hard}: {judged['why']}"]
    if len(judged["parts"]) > 1:
        others = ", ".join(str(part["id"]) for part in judged["parts"] if part["id"] != number)
        lines.append(f"read as one session with {others}")
    if judged["usual"] is not None:
        usual = judged["usual"]
        heart = f", at {usual['bpm']:.0f} bpm" if usual["bpm"] is not None else ""
        pace, minutes = measures.pace(usual["pace_s_per_km"], units), round(usual["moving_time_s"] / 60)
        lines.append(f"your usual run of the weeks before: {minutes} minutes at {pace} (hills taken out){heart}")
        lines += _hard(judged, units) if judged["hard"] else _not_hard(judged, units)
    if judged["hints"]:
        lines.append(f"{' and '.join(judged['hints'])} spoke for a session; that lowers the bar and decides nothing")
    return lines


def _hard(judged: dict[str, Any], units: str) -> list[str]:
    """The stretches that made it a session, and what they needed; nothing where the whole run was hard."""
    counted = [stretch for stretch in judged["fast_stretches"] if stretch["counted"]]
    if not counted:
        return _by_heart(judged)
    needed = [judged["usual"]["pace_s_per_km"] / stretch["needed_x_easy"] for stretch in counted]
    lines = [f"counted: {_fast(counted, units)}", f"such stretches had to reach {_span(needed, units)}"]
    fade = judged["work"]["fade"] if judged["work"] else None
    if fade is not None:
        ended = "slower" if fade < 0 else "faster"
        lines.append(f"the last third of them was {100 * abs(fade):.1f} % {ended} than the first")
    return lines


def _not_hard(judged: dict[str, Any], units: str) -> list[str]:
    """From where on running counts as fast, and what came nearest to it."""
    bar, easy, found = judged["thresholds"], judged["usual"]["pace_s_per_km"], judged["fast_stretches"]
    if not bar.get("minute_x_easy"):
        return _by_heart(judged)
    minute, five = (measures.pace(easy / bar[key], units) for key in ("minute_x_easy", "five_minutes_x_easy"))
    seen = f"seen: {_fast(found, units)}" if found else "nothing in it was that fast"
    longer = "" if five == minute else f", or five minutes on end at {five}"
    return [f"to be a session it needed minutes at {minute} or faster{longer}", seen]


def _by_heart(judged: dict[str, Any]) -> list[str]:
    hard_from = judged["thresholds"].get("hard_from_bpm")
    return [f"judged by heart rate: hard from {hard_from:.0f} bpm on"] if hard_from else []


def _fast(stretches: list[dict[str, Any]], units: str) -> str:
    """8 fast stretches of 2:40 to 3:10, at 4:30/km to 4:41/km."""
    seconds = [stretch["seconds"] for stretch in stretches]
    lengths = dict.fromkeys(f"{s // 60}:{s % 60:02d}" for s in (min(seconds), max(seconds)))
    many = "1 fast stretch" if len(stretches) == 1 else f"{len(stretches)} fast stretches"
    return f"{many} of {' to '.join(lengths)}, at {_span([s['pace_s_per_km'] for s in stretches], units)}"


def _span(paces: list[float], units: str) -> str:
    """4:30/km to 4:41/km, or 4:30/km where both are the same."""
    return " to ".join(dict.fromkeys(measures.pace(pace, units) for pace in (min(paces), max(paces))))


def _easy_heart_rate(easy: dict[str, Any], usual: dict[str, Any] | None, units: str) -> list[str]:
    reading = easy["reading"]
    if reading is None:
        return [f"left out: {easy['left_out']}"]
    pace = measures.pace(reading["at_pace_s_per_km"], units)
    lines = [
        f"{reading['bpm']:.1f} bpm at {pace}, give or take {reading['se_bpm']:.1f}",
        *_minutes(reading, easy["rests_on"]),
    ]
    norm = easy["compared_with"]
    if norm is None:
        return [*lines, "not compared with a norm: too few easy runs before it"]
    return [*lines, *_against(easy, norm, units), *_not_the_usual(norm, usual)]


def _against(easy: dict[str, Any], norm: dict[str, Any], units: str) -> list[str]:
    """The norm, what it makes for a run such as this, and how far off it was."""
    days = show.days(date.fromisoformat(norm["first"]), date.fromisoformat(norm["last"]))
    pace = measures.pace(norm["at_pace_s_per_km"], units)
    because = [
        f"{FACTORS.get(factor, show.words(factor))} {-bpm:+.1f}"
        for factor, bpm in easy["corrections_bpm"].items()
        if bpm
    ]
    expected = easy["reading"]["bpm"] - easy["residual_bpm"]
    why = f": {', '.join(because)}" if because else ""
    off, strays = easy["residual_bpm"], easy["usual_spread_bpm"]
    return [
        f"your norm: {norm['norm_bpm']:.1f} bpm at {pace}, from {len(norm['runs'])} easy runs, {days}",
        f"for this run that makes {expected:.1f} bpm{why}",
        f"it lay {abs(off):.1f} bpm {'above' if off >= 0 else 'below'} that; one run alone strays by {strays:.1f}",
    ]


def _not_the_usual(norm: dict[str, Any], usual: dict[str, Any] | None) -> list[str]:
    """Why the heart rate of the usual run is another one, where that would puzzle."""
    if usual is None or usual["bpm"] is None or abs(usual["bpm"] - norm["norm_bpm"]) < PUZZLING_BPM:
        return []
    return [
        f"your usual run's {usual['bpm']:.0f} bpm are another thing: the middle of whatever you ran lately, at its own "
        "pace; the norm is of easy runs that can be compared, at one pace"
    ]


def _minutes(reading: dict[str, Any], rests_on: dict[str, Any] | None) -> list[str]:
    """Which minutes the reading rests on, and what was taken from their mean and their pace."""
    if rests_on is None:
        return ["from the mean of the whole run"]
    between = f"minute {rests_on['from_minute']} and {rests_on['to_minute']}"
    lines = [f"from {reading['minutes']:.0f} steady minutes between {between}, mean {rests_on['mean_bpm']:.1f} bpm"]
    drift, at = rests_on["drift_correction_bpm"], rests_on["drift_taken_to_minute"]
    lines.append(f"brought to minute {at:.0f}: drift {drift:+.1f} bpm")
    if rests_on["grade_bpm"]:
        lines[-1] += f"; hills in it were worth {rests_on['grade_bpm']:+.1f} bpm"
    return lines


def _counted(contribution: dict[str, Any], judged: dict[str, Any]) -> list[str]:
    lines = [f"as much load as {contribution['load']:.0f} easy minutes"]
    if contribution["hard_day"]:
        lines.append("its day is a hard day")
    control = judged["control"]
    if control is not None and control["unevenness"] is not None:
        lines.append(f"its speed varied by {100 * control['unevenness']:.1f} %")
        if control["decoupling_percent"] is not None:
            lines[-1] += f", decoupling {control['decoupling_percent']:.1f} %"
    return lines


def _that_day(contribution: dict[str, Any]) -> list[str]:
    """The verdict, what was up and easy heart rate, then the quiet ones in a line."""
    if contribution["verdict"] is None:
        return ["not judged yet; the next `pullback sync` or `pullback import` does"]
    lines, quiet = [show.words(contribution["verdict"])], []
    for signal in contribution["signals"]:
        name, heart = show.words(signal["name"]), signal["name"] == "easy_heart_rate"
        if signal["level"] != "ok":
            name += f" ({signal['level']})"
        if signal["level"] != "ok" or heart:
            # The week's signs count every run of the week: that needs no saying.
            part = PARTS.get(signal["this_run"] or "", "") if heart else ""
            how_often = wording.by_chance if heart else wording.happened
            often = "" if signal["level"] == "ok" else f" {how_often(signal['own_past'])}"
            lines.append(f"{name}: {signal['summary']}{often}{part}")
        elif signal["family"]:
            quiet.append(name)
    return [*lines, f"quiet: {', '.join(quiet)}"] if quiet else lines


FACTORS = {
    "time_of_day": "time of day",
    "after_hard": "hard session shortly before",
    "lay_off": "break from running",
    "new_normal": "your new normal",
}
PARTS = {
    "compared": " This run was one of those compared.",
    "norm": " This run was part of the norm.",
    "left out": " This run was left out.",
}
