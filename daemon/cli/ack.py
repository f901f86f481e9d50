"""`pullback ack`: the runner's answer, what was up with some days. Keeps it, judges again, and says what follows."""

from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from daemon import values
from daemon.cli import show
from daemon.cli.session import Session, known_athlete
from daemon.errors import UserError

if TYPE_CHECKING:
    from daemon.store import Store
    from daemon.store.outbox import Alert
    from daemon.values import Answer, Reason

Days = tuple[date | None, date | None]
UP = ("pull_back", "watch")
ONE_DAY = ("fine", "new-normal")
SAID: "dict[Reason, tuple[str, ...]]" = {
    "ill": ("sick", "sickness", "illness", "unwell", "cold", "flu", "fever", "virus"),
    "heat": ("hot", "weather", "summer", "humid", "humidity"),
    "altitude": ("mountains", "high", "height"),
    "travel": ("holiday", "holidays", "vacation", "trip", "jetlag"),
    "sensor": ("strap", "watch", "device", "battery"),
    "medication": ("meds", "drugs", "medicine", "vaccination"),
    "company": ("friend", "friends", "group", "pram", "dog"),
    "cycle": ("period", "luteal", "menstruation"),
    "life": ("stress", "work", "sleep", "tired", "kids"),
    "fine": ("ok", "okay", "well", "good", "nothing"),
}
"""Other words for a reason, which no spelling leads to."""
FURTHEST_AHEAD = timedelta(weeks=4)
"""A slip in the year of --to must not silence the seasons to come."""


def command(
    context: typer.Context,
    number: Annotated[int | None, typer.Argument(metavar="[ID]", help="The alert (default: the open one).")] = None,
    reason: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            autocompletion=lambda: list(get_args(values.Reason)),
            help="ill, race, heat, altitude, travel, sensor, medication, company, cycle, life: these days leave your "
            "norm; fine: you are well, the warning is closed; new-normal: your norm begins anew.",
        ),
    ] = None,
    first: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="DATE",
            help="First day, such as 2026-11-02 (default: when the warning began, else today).",
        ),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="DATE",
            help="Last day, up to four weeks ahead (default: today, or the warning's end).",
        ),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take back the answer given last.")] = False,
) -> None:
    """Answer a warning, or say what was up with some days: they are judged again with that in mind."""
    session: Session = context.obj
    days = show.day(first), show.day(last)
    if undo and any(given is not None for given in (number, reason, *days)):
        raise typer.BadParameter("--undo stands alone: it takes back the answer given last")
    chosen = None if undo else _reason(reason)
    with session.store() as store:
        lines = _taken_back(session, store) if chosen is None else answered(session, store, chosen, number, days)
    show.out([show.Line(line) for line in lines])


def _taken_back(session: Session, store: "Store") -> list[str]:
    """Takes the last answer back; what to say of it. Raises UserError where there is none."""
    from daemon.evaluate import answering

    athlete_id = known_athlete(store)
    answer = answering.take_back(store, athlete_id)
    if answer is None:
        raise UserError("there is no answer to take back; `pullback ack --reason REASON` gives one")
    return [f"Taken back: {answer.reason}, {_days(session, answer)}.", *_judged_again(session, store, athlete_id)]


def answered(session: Session, store: "Store", reason: "Reason", number: int | None, days: Days) -> list[str]:
    """Records the answer; what to say of it. Raises UserError, BadParameter."""
    from daemon.evaluate import answering, status_document

    athlete_id, now = known_athlete(store), session.clock.now()
    alert, before = _alert(store, athlete_id, number), status_document(store, athlete_id)
    begin, end = span(reason, alert, *days, now.astimezone(session.zone(store)))
    if reason == "fine":
        _must_be_up(alert, before)
    answer = answering.keep_answer(store, athlete_id, reason, begin, end, now)
    follows = _judged_again(session, store, athlete_id)
    words = _days(session, answer)
    if alert is not None and days == (None, None) and reason not in ONE_DAY:
        words = f"The {'day' if begin == end else 'days'} of the warning, {words},"
    told = meaning(answer, words, answering.taken_out(store, athlete_id, session.config(), answer))
    return [told, *(began_earlier(answer, before) if days[0] is None else []), *follows]


def _judged_again(session: Session, store: "Store", athlete_id: int) -> list[str]:
    """What today's verdict says now, and which message comes of it: to answer closes or takes back what was told."""
    from daemon.evaluate import answering

    waited = answering.on_their_way(store, athlete_id)
    headline = answering.judged_again(store, athlete_id, session.config(), session.clock.now())
    follow = {n: title for n, title in answering.on_their_way(store, athlete_id).items() if n not in waited}
    sends = "This follows as a message (the service sends it, or your next `pullback sync`)"
    return [headline, *(f"{sends}: {title}." for title in follow.values())]


def _days(session: Session, answer: "Answer") -> str:
    return show.days(answer.first, answer.last, session.clock.now().year)


def _reason(text: str | None) -> "Reason":
    """The reason typed. Raises BadParameter with what is known."""
    from daemon.config.reading import did_you_mean
    from daemon.values import Reason

    known: tuple[Reason, ...] = get_args(Reason)
    for word in known:
        if word == text:
            return word
    if text is None:
        raise typer.BadParameter(f"say why: {', '.join(known)}", param_hint="--reason")
    meant = next((reason for reason, words in SAID.items() if text.lower() in words), None)
    suggestion = f"did you mean {meant}?" if meant else did_you_mean(text, known)
    raise typer.BadParameter(f"{text!r} is unknown, {suggestion}", param_hint="--reason")


def _alert(store: "Store", athlete_id: int, number: int | None) -> "Alert | None":
    """The alert of that id, or the newest open one about running. Raises UserError for an id that can't be answered."""
    from daemon.store import outbox

    with store.read() as session:
        alerts = outbox.alerts(session, athlete_id)
    if number is None:
        return next((a for a in reversed(alerts) if a.kind in UP and a.closed_at is None), None)
    found = next((a for a in alerts if a.id == number), None)
    if found is None:
        raise UserError(f"there is no alert {number}; `pullback status` shows the open ones with their ids")
    if found.kind in ("access", "stale"):
        raise UserError(f"alert {number} is about access to Strava, not your running; `pullback check` says what to do")
    if found.kind == "reminder":  # what it repeats is what is answered
        return next(a for a in reversed(alerts) if a.thread == found.thread and a.kind == found.about)
    if found.kind not in (*UP, "all_clear"):
        raise UserError(f"alert {number} is no warning, so it needs no answer; `pullback status` shows what is open")
    return found


def span(
    reason: "Reason", alert: "Alert | None", first: date | None, last: date | None, now: datetime
) -> tuple[date, date]:
    """First and last day of an answer given at `now` on the runner's clock. Raises BadParameter for impossible days."""
    today = now.date()
    if first is not None and first > today:
        raise typer.BadParameter(f"--from {first} has not come yet")
    if last is not None and reason in ONE_DAY:
        raise typer.BadParameter(f"--to says nothing here: {reason} holds from its first day on")
    if last is not None and last > today + FURTHEST_AHEAD:
        raise typer.BadParameter(f"--to {last} is more than four weeks ahead; answer again when it has come nearer")
    began = today if alert is None or reason == "fine" else date.fromisoformat(alert.began)
    begin = first or began
    if last is not None and begin > last:
        raise typer.BadParameter(f"--to {last} lies before {begin}, the first day; give an earlier --from")
    if reason in ONE_DAY:
        return begin, begin
    return begin, last or max(begin, _ended(alert, today, now.tzinfo))


def _ended(alert: "Alert | None", today: date, zone: tzinfo | None) -> date:
    """The last day an alert speaks of: today while it is open, or there is none."""
    closed = None if alert is None else alert.opened_at if alert.kind == "all_clear" else alert.closed_at
    return today if closed is None else closed.astimezone(zone).date()


def _must_be_up(alert: "Alert | None", status: dict[str, Any]) -> None:
    if alert is not None and alert.closed_at is not None:
        raise UserError(f"alert {alert.id} is closed already; `pullback status` shows what is open")
    if alert is None and status["verdict"] not in UP:
        raise UserError("no warning is open that fine could close; `pullback status` shows where you stand")


def meaning(answer: "Answer", days: str, compared: int) -> str:
    """What an answer changes; `compared` is how many runs it leaves out."""
    if answer.reason == "fine":
        return "Noted: fine. The warning is closed; another one needs new signs."
    if answer.reason == "new-normal":
        return (
            f"Noted: new-normal. Your norm begins anew on {days}; earlier runs are not compared any more, so it takes "
            "weeks to learn."
        )
    leaves = "leaves" if answer.first == answer.last else "leave"
    runs = {0: "no run so far", 1: "1 run"}.get(compared, f"{compared} runs")
    return f"Noted: {answer.reason}. {days} {leaves} your norm ({runs}); what you ran still counts as load."


def began_earlier(answer: "Answer", status: dict[str, Any]) -> list[str]:
    """What the answer leaves in the norm: the rise a warning is about may have begun before that. `status` is that of
    before the answer."""
    if answer.reason == "fine" or status["verdict"] not in UP:
        return []
    heart = next((s for s in status["signals"] if s["name"] == "easy_heart_rate" and s["level"] != "ok"), None)
    since = heart and heart["evidence"].get("since")
    if not since or since >= answer.first.isoformat():
        return []
    day = date.fromisoformat(since)
    began = show.days(day, day, answer.first.year)
    return [
        f"The rise began on {began}, before that. If it was that already: "
        f"pullback ack --reason {answer.reason} --from {since}"
    ]
