"""`pullback feel`: how a run felt, in the runner's word. Keeps it, judges again, and says what follows."""

from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli import show
from daemon.cli.runs import which
from daemon.cli.session import Session, known_athlete
from daemon.errors import UserError

if TYPE_CHECKING:
    from daemon.values import Feel

ORDINARY = "Kept: nothing out of the ordinary."
A_SIGN = "Kept as a sign of its own, also where heart rate is normal or low."
MEANS: "dict[Feel, str]" = {"easy": ORDINARY, "normal": ORDINARY, "heavy": A_SIGN, "forced": A_SIGN}


def command(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[ID|last] easy|normal|heavy|forced",
            autocompletion=lambda: ["last", *MEANS],
            help="The run by its id (default: your newest), and how it felt.",
        ),
    ],
) -> None:
    """Say how a run felt: pullback counts it like any other evidence. A later answer replaces the earlier one."""
    from daemon.evaluate import answering, history

    session: Session = context.obj
    number, feel = _parted(words)
    with session.store() as store:
        athlete_id, now = known_athlete(store), session.clock.now()
        if number is None:
            run = history.newest_run(store, athlete_id)
        else:
            run = history.activity(store, athlete_id, number)
        if not run.is_run:
            raise UserError(f"{run.id} is no run but a {run.sport}; `pullback runs` lists your runs")
        answering.keep_feel(store, run, feel, now)
        headline = answering.judged_again(store, athlete_id, session.config(), now)
        why_not = answering.not_counted(store, run, session.config())
    day = show.days(run.day, run.day, now.year)
    show.out([show.Line(f"{show.named(run.name)}, {day}: {feel}. {_means(feel, why_not)}"), show.Line(headline)])


def _means(feel: "Feel", why_not: str | None) -> str:
    return f"Kept, and not counted: {why_not}." if why_not and MEANS[feel] is A_SIGN else MEANS[feel]


def _parted(words: list[str]) -> "tuple[int | None, Feel]":
    """The run's id (None: the newest) and the feeling. Raises BadParameter."""
    *run, feel = words
    if feel not in MEANS:
        raise typer.BadParameter(f"{feel!r} is not one of {', '.join(MEANS)}")
    if len(run) > 1:
        raise typer.BadParameter("one run at a time: pullback feel [ID|last] heavy")
    return which(run[0]) if run else None, feel
