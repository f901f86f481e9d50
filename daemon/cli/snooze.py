"""`pullback snooze`: nothing is sent for a while. Keeps until when; what is judged meanwhile isn't its business."""

from datetime import timedelta
from typing import Annotated

import typer

from daemon.cli import show
from daemon.cli.session import Session, known_athlete

LONGEST = "52w"


def command(
    context: typer.Context,
    span: Annotated[str, typer.Argument(metavar="SPAN", help='How long, such as "7d", "12h" or "2w".')],
) -> None:
    """Have nothing sent on any channel for a while. Runs are judged all the same; what still holds is sent after it."""
    from daemon.store import snooze

    session: Session = context.obj
    length = _length(span)
    with session.store() as store:
        athlete_id, now = known_athlete(store), session.clock.now()
        with store.write() as writing:
            snooze.snooze(writing, athlete_id, now, now + length)
        until = show.moment((now + length).isoformat(), session.zone(store))
    show.out(
        [show.Line(f"Nothing is sent until {until}; `pullback resume` ends it, `pullback status` shows what is up.")]
    )


def _length(span: str) -> timedelta:
    from daemon.config import values

    try:
        return values.duration(at_least="1m", at_most=LONGEST)(span)
    except values.Wrong as wrong:
        raise typer.BadParameter(str(wrong)) from None
