"""`pullback resume`: ends a snooze. What waits is left to the service, or to the next `pullback sync`."""

import typer

from daemon.cli import show
from daemon.cli.session import Session, known_athlete


def command(context: typer.Context) -> None:
    """End a snooze: what still holds is sent within a minute by the service, or by `pullback sync`."""
    from daemon.store import outbox, snooze

    session: Session = context.obj
    with session.store() as store:
        athlete_id = known_athlete(store)
        with store.write() as writing:
            until = snooze.snoozed_until(writing, athlete_id, session.clock.now())
            snooze.resume(writing, athlete_id)
            waiting = len({d.alert.id for d in outbox.unsettled(writing) if d.alert.athlete_id == athlete_id})
    said = "No snooze was on." if until is None else "The snooze is over."
    alerts = "1 alert waits" if waiting == 1 else f"{waiting} alerts wait"
    show.out([show.Line(f"{said} {alerts} to be sent." if waiting else said)])
