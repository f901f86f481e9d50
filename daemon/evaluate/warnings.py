"""The life of a warning: opened once, told again while it lasts, ended by an all-clear, or taken back.

What is to be said is decided in the verdict room; here it becomes rows. Chooses no words.
"""

from datetime import date, timedelta

from daemon import verdict, wording
from daemon.evaluate.desk import GOOD_NEWS, Desk, Heard, free_key, kinds_told, retraction_of
from daemon.store import judgement, outbox
from daemon.store.outbox import Alert
from daemon.values import Verdict
from daemon.verdict import WARNINGS, Episode, OpenAlert
from daemon.verdict.telling import near


def tell_verdict(desk: Desk, today: Verdict) -> None:
    """Brings the alerts about running to where today's verdict, and the record it stands in, ask for."""
    _unretract(desk, today)
    heard = Heard.of(desk)
    rows = {a.id: a for a in heard.alerts}
    told = [OpenAlert(a.kind, a.began, a.closed_at is None, a.id) for a in heard.alerts if _counts(a, heard)]
    record = _record(desk, told)
    current = verdict.as_recorded(today, told, record)
    over = verdict.endings(today, current, record)
    for ending in over:
        desk.close(rows[ending.alert.id])
        if ending.unfounded:
            _retract(desk, today, rows[ending.alert.id], record, heard)
    _close_good_news(desk, today)
    for say in verdict.what_to_say(today, current, kinds_told(desk.config)):
        _say(desk, today, say, [rows[ending.alert.id] for ending in over])
    goes_on = verdict.told_of(today, current)
    if goes_on is not None:
        _go_on(desk, today, rows[goes_on.id])


def _go_on(desk: Desk, today: Verdict, alert: Alert) -> None:
    """A warning that was told goes on, also where that it is over has been said meanwhile: then it is told again.

    So it is where it comes back on another day and somebody may have missed it: in the words of that day.
    """
    if alert.kind == "pull_back":
        desk.close_kinds("all_clear")  # the one on its way isn't true
    heard = Heard.of(desk)
    another_day = alert.closed_at is not None and desk.day(alert) != desk.today
    anew = another_day and not heard.owed(alert).isdisjoint(desk.hearers(alert.kind))
    if today.state == alert.kind and (anew or heard.ended(alert)):
        desk.close(alert)
        desk.open(
            alert.kind,
            free_key(heard.alerts, alert.kind, alert.began),
            wording.alert(alert.kind, today, desk.units, desk.runs),
            thread=alert.thread,
            known_to=heard.knowing(alert.kind, alert.began, alert.thread),
        )
        return
    if alert.closed_at is not None:
        outbox.reopen(desk.session, alert.id, desk.now)
    _remind(desk, today, alert)


def _counts(alert: Alert, heard: Heard) -> bool:
    return alert.kind in (*WARNINGS, *GOOD_NEWS, "all_clear") and heard.stands(alert)


def _record(desk: Desk, told: list[OpenAlert]) -> set[Episode]:
    """Every stretch of a warning in the record since the first that an open alert may be about."""
    began = [date.fromisoformat(a.episode) for a in told if a.open and a.kind in WARNINGS]
    if not began:
        return set()
    found: set[Episode] = set()
    # An episode that began two weeks earlier than it was told is the same one, and may have ended soon after.
    for state, memory in judgement.memories(desk.session, desk.athlete_id, min(began) - timedelta(days=14)):
        if state in ("pull_back", "recovering") and "episode" in memory:
            found.add(Episode("pull_back", memory["episode"]))
        elif state == "watch" and "watch" in memory:
            found.add(Episode("watch", memory["watch"]))
    return found


def _say(desk: Desk, today: Verdict, say: verdict.Say, ended: list[Alert]) -> None:
    if say.kind == "all_clear" and not desk.config.alerts.all_clear:
        return
    heard = Heard.of(desk)
    thread, known_to, spared = None, set[str](), set[str]()
    if say.kind == "all_clear":
        told = [a for a in heard.alerts if a.kind == "pull_back"]
        over = next(a for a in reversed(told) if a.began == say.episode)
        thread = over.thread
        # Who never heard of it, nor still waits for the end of an earlier one, needn't hear that it is over. What was
        # taken back, be it a moment ago, and what the runner closed himself wait for nothing.
        fine = str(today.memory.get("fine", ""))
        earlier = (heard.believing(a.kind, a.began, a.thread) for a in told if heard.stands(a) and a.began > fine)
        spared = set(desk.hearers("all_clear")).difference(_reached(desk, over, heard), *earlier)
    elif say.kind in WARNINGS:
        thread, known_to = _same_thread(say, heard, ended)
    if say.kind == "pull_back":
        desk.close_kinds("all_clear")  # the one on its way is no longer true
    desk.open(
        say.kind,
        free_key(heard.alerts, say.kind, say.episode),
        wording.alert(say.kind, today, desk.units, desk.runs),
        thread=thread,
        known_to=known_to,
        spared=spared,
    )


def _same_thread(say: verdict.Say, heard: Heard, ended: list[Alert]) -> tuple[int | None, set[str]]:
    """The thread a warning goes on, and which channels have this very warning already.

    A watch that becomes a pull-back is one thread; and so is a warning that was taken back and holds after all.
    """
    told = [a for a in heard.alerts if a.kind == say.kind and near(a.began, say.episode)]
    again = [a for a in told if heard.retraction(a)]
    if again:
        return again[-1].thread, heard.knowing(say.kind, say.episode, again[-1].thread)
    escalated = [a for a in ended if a.kind == "watch" and say.kind == "pull_back"]
    return (escalated[-1].thread if escalated else None), set()


def _retract(desk: Desk, today: Verdict, alert: Alert, record: set[Episode], heard: Heard) -> None:
    """Says that a warning is taken back, where it was heard or may have been, and what stands today.

    Who heard only of the watch that a pull-back grew from hears it of the watch, where nothing is left of that either.
    """
    channels = _reached(desk, alert, heard)
    _take_back(desk, today, alert, channels, heard)
    if alert.kind == "pull_back":
        watches = [a for a in heard.alerts if a.kind == "watch" and a.thread == alert.thread and heard.stands(a)]
        as_open = [OpenAlert("watch", a.began, True, a.id) for a in watches[-1:]]
        if any(ending.unfounded for ending in verdict.endings(today, as_open, record)):
            know = channels.union(*(heard.on(a) for a in heard.alerts if a.thread == alert.thread and _is_end(a)))
            _take_back(desk, today, watches[-1], _reached(desk, watches[-1], heard) - know, heard)


def _is_end(alert: Alert) -> bool:
    return alert.kind in ("retraction", "all_clear")


def _take_back(desk: Desk, today: Verdict, alert: Alert, channels: set[str], heard: Heard) -> None:
    if channels:
        desk.open(
            "retraction",
            free_key(heard.alerts, "retraction", retraction_of(alert)),
            wording.retraction(alert.kind, desk.day(alert), desk.state.because or "judged", today),
            about=alert.kind,
            thread=alert.thread,
            channels=channels,
            event=True,
        )


def _reached(desk: Desk, alert: Alert, heard: Heard) -> set[str]:
    """The channels in the config that believe a warning.

    Where one that does is in the config no longer its address has changed: any that is new to the thread may be it.
    """
    believing, configured = heard.believing(alert.kind, alert.began, alert.thread), desk.channels()
    moved = not believing <= configured
    hearers = desk.hearers(alert.kind)
    return {c for c in configured if c in believing or (moved and c in hearers and heard.is_new(alert.thread, c))}


def _unretract(desk: Desk, today: Verdict) -> None:
    """Withdraws the retraction, still on its way, of a warning that holds after all."""
    now = verdict.episode_of(today)
    if now is None:
        return
    for alert, _ in desk.told().values():
        # A watch that became a pull-back holds.
        taken_back = OpenAlert(now.kind if alert.about == "watch" else alert.about, alert.began)
        if alert.kind == "retraction" and verdict.told_of(today, [taken_back]) is not None:
            outbox.withdraw(desk.session, alert.id)


def _close_good_news(desk: Desk, today: Verdict) -> None:
    news = verdict.good_news(today)
    desk.close_kinds(*(kind for kind in GOOD_NEWS if news is None or news.kind != kind))


def _remind(desk: Desk, today: Verdict, alert: Alert) -> None:
    """Tells a warning again that has lasted, once each `remind_after`; not where an earlier word is on its way."""
    every = desk.config.alerts.remind_after
    if every is None or today.state != alert.kind:
        return  # recovering: nothing to be reminded of
    heard = Heard.of(desk)
    said = [a for a in heard.alerts if a.thread == alert.thread and a.kind in (alert.kind, "reminder")]
    # Where an earlier word hasn't arrived yet that is news enough; the other channels don't wait for that one.
    waiting = {d.channel for a in said for d in heard.deliveries.get(a.id, ()) if d.state in ("pending", "claimed")}
    nobody = bool(waiting) and waiting.issuperset(desk.hearers(alert.kind))
    if nobody or not verdict.reminder_is_due([a.opened_at for a in said], every, desk.now):
        return
    number = sum(a.kind == "reminder" and a.about == alert.kind for a in said) + 1
    desk.open(
        "reminder",
        f"{alert.episode} {alert.kind} {number}",
        wording.reminder(alert.kind, today, desk.day(alert), desk.units, desk.runs),
        about=alert.kind,
        thread=alert.thread,
        spared=waiting,
    )
