"""`pullback sync`: one pull, judged and told, by hand. What it does is decided in the rooms below."""

from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli import show
from daemon.cli.session import Session
from daemon.clock import moment_text
from daemon.errors import UserError

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.deliver import Delivered
    from daemon.store import Store
    from daemon.strava.client import Strava
    from daemon.sync import Outcome


def command(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask Strava for its list, say what would be done, and do nothing.")
    ] = False,
) -> None:
    """Fetch new runs once, judge them, and send what is waiting."""
    from daemon.access import connect

    session: Session = context.obj
    config = session.app_config()
    with session.store() as store:
        strava = connect(store, config, session.clock)
        if strava is None:
            raise UserError("pullback isn't authorised at Strava yet; run `pullback auth`")
        try:
            if dry_run:
                _preview(session, store, strava)
            else:
                _sync(session, config, store, strava)
        finally:
            strava.close()


def _sync(session: Session, config: "Config", store: "Store", strava: "Strava") -> None:
    from daemon.evaluate import evaluate, note_look
    from daemon.sync import pull

    with show.progress("Fetching runs") as advance:
        outcome = pull(
            store,
            strava,
            strava.tokens.athlete_id,
            session.clock,
            backfill=config.strava.backfill,
            raw_retention=timedelta(days=config.privacy.raw_retention_days),
            insist=True,
            advance=advance,
        )
    evaluated = evaluate(store, strava.tokens.athlete_id, config, session.clock.now())
    delivered = tell(session, config, store)
    note_look(store, strava.tokens.athlete_id, config, session.clock.now(), "well")
    parts = [show.Line(line) for line in summary(outcome, session.zone(store))]
    if evaluated.verdict is not None:
        parts.append(show.Line(evaluated.verdict.headline))
    if delivered.sent or delivered.failed:
        parts.append(show.Line(f"Alerts: {delivered.sent} sent, {delivered.failed} failed (tried again later)"))
    show.out(parts)
    if outcome.problem is not None:
        raise outcome.problem


def tell(session: Session, config: "Config", store: "Store") -> "Delivered":
    """Sends what waits, at once unless the runner wants quiet."""
    from daemon import notify
    from daemon.deliver import deliver
    from daemon.evaluate.looking import picture_of

    return deliver(
        store,
        config.alerts,
        notify.send,
        session.clock,
        session.zone(store),
        at_once=True,
        picture=lambda alert: picture_of(store, alert.athlete_id, config, alert),
    )


def summary(outcome: "Outcome", zone: tzinfo) -> list[str]:
    """What one pull did, in a line or two; times on the clock of `zone`."""
    counts = (
        (outcome.new, "new"),
        (outcome.changed, "changed"),
        (outcome.gone, "deleted"),
        (outcome.fetched, "recordings fetched"),
        (outcome.pending, "recordings pending"),
        (outcome.unreadable, "unreadable"),
    )
    done = ", ".join(f"{count} {what}" for count, what in counts if count)
    # A pull that failed doesn't know whether there was anything new.
    lines = [done or "Nothing new"] if done or outcome.problem is None else []
    if outcome.waiting_until is not None:
        lines.append(f"The rest waits for Strava's rate limit until {moment_text(outcome.waiting_until, zone)}")
    return lines


def _preview(session: Session, store: "Store", strava: "Strava") -> None:
    """What the list of the last days asks for; one call, nothing stored, nothing sent."""
    from daemon.store import activities, outbox
    from daemon.strava.errors import RateLimited
    from daemon.sync import PER_PAGE, WINDOW, plan

    since = session.clock.now() - WINDOW
    strava.budget = None
    try:
        listed = [item.activity for item in strava.list_activities(after=since, per_page=PER_PAGE).items]
    except RateLimited as error:
        raise UserError(error.told(session.zone(store))) from None
    with store.read() as reading:
        known = activities.known(reading, strava.tokens.athlete_id, since)
        known |= activities.known_by_id(reading, strava.tokens.athlete_id, {activity.id for activity in listed})
        waiting = len(outbox.unsettled(reading))
    decided = plan(listed, known)
    new = sum(save.activity.id not in known for save in decided.saves)
    parts: list[show.Part] = [
        show.Line(f"{'update' if a.id in known else 'fetch'} {a.id} {show.named(a.name)}")
        for a in (save.activity for save in decided.saves)
    ]
    parts += [show.Line(f"ask for {missing}, which is no longer listed") for missing in decided.missing]
    changed = len(decided.saves) - new
    parts.append(show.Line(f"Would fetch {new} new and {changed} changed activities; {waiting} deliveries waiting"))
    show.out(parts)
