"""Almost half a year of one runner's life through the daemon's own jobs, stepped by their triggers on a clock of ours.

Strava fails now and then, the phone is off for a day, the machine restarts: the record must be what a replay of the
whole history says, and the runner must have been told each thing once.
"""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from daemon import documents
from daemon.errors import UserError
from daemon.evaluate import replay
from daemon.jobs import Daemon, Job
from daemon.service import trigger
from daemon.simulator.events import SpeedWork, Strain
from daemon.simulator.runner import RunnerSpec, simulate
from daemon.store import judgement, outbox
from tests.house import House

FIRST = date(2026, 4, 6)
CAME = FIRST + timedelta(weeks=15, days=4)
UNTIL = FIRST + timedelta(weeks=23)


def test_half_a_year_with_trouble_is_recorded_and_told_as_a_replay_says(house: House) -> None:
    house.set_config("schedule", poll=timedelta(hours=12))
    house.clock.moment = datetime.combine(FIRST, datetime.min.time(), UTC)
    events = (SpeedWork(CAME, "intervals", 4, minutes=55), Strain(CAME + timedelta(days=7), bpm=8, days=10))
    runs = simulate(RunnerSpec(seed=11, warmth_c=8, season_c=3), FIRST, UNTIL, events)
    house.world.add_all(runs, as_they_happen=True)
    chance = random.Random(7)
    step(house, until=datetime.combine(UNTIL, datetime.min.time(), UTC), trouble=lambda: trouble(house, chance))
    house.world.heal()
    house.daemon().poll()

    replayed = replay(house.store, house.athlete_id, house.config, house.clock.now())
    with house.store.read() as session:
        recorded = list(judgement.verdicts(session, house.athlete_id))
        alerts = outbox.alerts(session, house.athlete_id)
        deliveries = outbox.deliveries(session)
    assert recorded == [documents.verdict_document(verdict) for verdict in house.judged_anew()]
    assert [a.kind for a in alerts] == [told.kind for told in replayed.alerts]
    assert "pull_back" in {a.kind for a in alerts}
    late = [a.opened_at.date() - told.day for a, told in zip(alerts, replayed.alerts, strict=True)]
    assert all(abs(delay) <= timedelta(days=2) for delay in late)
    assert {d.state for d in deliveries} == {"sent"}
    assert house.phone.titles == [a.title for a in alerts]


def trouble(house: House, chance: random.Random) -> None:
    """About once a week something goes wrong for a while."""
    if chance.random() > 0.04:
        return
    kind = chance.choice(["list", "streams", "detail", "phone", "restart"])
    if kind == "restart":
        house.reopen()
    elif kind == "phone":
        house.phone.refusals = 8
    else:
        pattern = {"list": "athlete/activities", "streams": "streams", "detail": r"activities/\d+$"}[kind]
        house.world.fail(pattern, chance.choice([500, "html", "truncated", "reset"]), times=3)  # type: ignore[arg-type]


def step(house: House, until: datetime, trouble: Callable[[], None]) -> None:
    """Runs every job whenever its own trigger says, as the scheduler would, on the house's clock."""
    daemon = house.daemon()
    jobs = {job.name: job for job in daemon.jobs()}
    due = {
        name: house.clock.now() if job.at_start else _next(job, None, house.clock.now()) for name, job in jobs.items()
    }
    waits = False
    while True:
        name = min(due, key=lambda n: due[n])
        if due[name] >= until:
            return
        house.clock.moment = max(house.clock.moment, due[name])
        if name == "poll":
            trouble()
            daemon = house.daemon()
        # With an empty outbox the minute job has nothing to do, and asking 260,000 times would only take time.
        if name != "deliver" or waits:
            _run(daemon, name)
            waits = _something_waits(house)
        due[name] = _next(jobs[name], due[name], house.clock.now())


def _run(daemon: Daemon, name: str) -> None:
    job = next(job for job in daemon.jobs() if job.name == name)
    try:
        job.run()
    except UserError:
        return  # the service writes a line to the log and goes on


def _something_waits(house: House) -> bool:
    with house.store.read() as session:
        return bool(outbox.unsettled(session))


def _next(job: Job, previous: datetime | None, now: datetime) -> datetime:
    fires = trigger(job).get_next_fire_time(previous, now)
    assert fires is not None
    return fires
