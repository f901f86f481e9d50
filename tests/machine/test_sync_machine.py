"""Whatever a runner, Strava, the network and the clock do: once all is well again, the store is what Strava is."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from daemon import access, documents
from daemon.errors import UserError
from daemon.evaluate import answering, local_now, runs
from daemon.evaluate.history import activity
from daemon.simulator.faults import Fault
from daemon.simulator.tokens import Grant
from daemon.simulator.world import Entry
from daemon.store import activities as rows
from daemon.store import judgement
from daemon.store.progress import Progress, progress
from daemon.strava.auth import read_tokens
from daemon.strava.errors import AccessLost, StravaUnreachable
from daemon.sync import Outcome
from daemon.sync.decisions import ASKED_BY_ID
from daemon.values import Feel, Reason
from tests.house import House, open_house, plain_run
from tests.machine.around import FAULTS, PATHS, PATIENT, SPORTS, Counted, Died, migrated


class SyncMachine(RuleBasedStateMachine):
    """One runner, one Strava, one store; the number of each rule's `which` picks a run that Strava has."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        shutil.copy(migrated(), folder / "pullback.db")
        self.house: House = self.stack.enter_context(open_house(folder))
        self.house.world.limits = self.limits = Counted()
        # Short, so that a story's days are judged in no time.
        self.house.set_config("strava", backfill=timedelta(weeks=8))
        self.house.authorise()
        self.forgotten = 0
        self.true_list = self.house.world.visible
        self.house.world.visible = self.list_as_strava_gives_it  # type: ignore[method-assign]
        self.last_id = 0
        self.between: tuple[int, Callable[[], object]] | None = None
        self.sees_private = self.saw_all = True
        self.once_private: set[int] = set()
        self.doubtful: set[int] = set()
        self.deletions = 0
        self.lessons = 0

    def teardown(self) -> None:
        try:
            self.all_is_well_again()
        finally:
            self.stack.close()

    # -- the runner ---------------------------------------------------------------------------------------------------

    @initialize(count=st.integers(0, 8), known=st.booleans())
    def a_history(self, count: int, known: bool) -> None:
        for number in range(count):
            self.upload(hours_ago=5 + number * 160, sport="Run", manual=False, private=False, minutes=2)
        if known:
            self.pull(times=1)

    @rule(
        hours_ago=st.one_of(st.integers(1, 300), st.integers(1, 1500)),
        sport=st.sampled_from(SPORTS),
        manual=st.booleans(),
        private=st.booleans(),
        minutes=st.integers(2, 3),
    )
    def upload(self, hours_ago: int, sport: str, manual: bool, private: bool, minutes: int) -> None:
        self.last_id += 1
        start = self.house.clock.now() - timedelta(hours=hours_ago)
        facts = {"sport_type": sport, "type": sport, "manual": manual, "private": private}
        if private:
            self.once_private.add(self.last_id)
        self.house.world.add(plain_run(self.last_id, start, minutes=minutes, **facts))

    @precondition(lambda self: self.ids())
    @rule(
        which=st.integers(0, 99),
        how=st.sampled_from(["rename", "trim", "ride", "run", "race", "move", "hide", "show"]),
    )
    def edit(self, which: int, how: str) -> None:
        world, run = self.house.world, self.pick(which)
        if how == "rename":
            world.edit(run, name="With Ada")
        elif how == "trim":
            world.edit(run, elapsed_time=50, moving_time=50, distance=139.0)
        elif how in ("hide", "show"):
            world.edit(run, private=how == "hide")
            self.once_private.add(run)
        elif how == "race":
            world.edit(run, workout_type=1)
        elif how == "move":
            entry = world.find(self.house.athlete_id, run, private=True)
            assert entry is not None
            start = datetime.fromisoformat(entry.summary["start_date"]) + timedelta(hours=3)
            world.edit(run, start_date=f"{start:%Y-%m-%dT%H:%M:%SZ}")
            entry.start = start.timestamp()
        else:
            world.edit(run, sport_type=how.title(), type=how.title())

    @precondition(lambda self: self.ids())
    @rule(which=st.integers(0, 99))
    def delete(self, which: int) -> None:
        self.house.world.delete(self.pick(which))
        self.deletions += 1

    @rule()
    def the_runner_allows_less(self) -> None:
        """Private runs are out of sight from now on, and count as gone until they may be read again."""
        scope = frozenset({"read", "activity:read", "profile:read_all"})
        issued = self.house.world.tokens.issue(Grant("1", self.house.athlete_id, scope), self.house.clock.now())
        access.authorise(self.house.store, read_tokens(issued, scope=scope, athlete_id=self.house.athlete_id))
        self.sees_private = self.saw_all = False

    @precondition(lambda self: not self.house.world.inactive)
    @rule()
    def the_runner_allows_everything(self) -> None:
        self.house.world.heal()
        self.house.world.tokens.clients["1"] = "secret"
        self.house.authorise(PATIENT)
        self.sees_private = True

    @rule(secret=st.sampled_from(["secret", "another"]))
    def the_client_secret(self, secret: str) -> None:
        """Changed at Strava, or back; in the config it stays."""
        self.house.world.tokens.clients["1"] = secret

    @rule()
    def the_grant_is_withdrawn(self) -> None:
        self.house.world.tokens.revoke(self.house.athlete_id)

    @rule()
    def the_access_token_dies(self) -> None:
        self.house.world.tokens.kill_access()

    # -- what the runner says ------------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 99), feel=st.sampled_from(get_args(Feel)))
    def a_run_felt(self, which: int, feel: Feel) -> None:
        if here := sorted(k.id for k in self.known().values() if not k.deleted):
            run = activity(self.house.store, self.house.athlete_id, here[which % len(here)])
            answering.keep_feel(self.house.store, run, feel, self.house.clock.now())

    @rule(days_ago=st.integers(0, 50), days=st.integers(0, 20), reason=st.sampled_from((None, *get_args(Reason))))
    def days_are_explained(self, days_ago: int, days: int, reason: Reason | None) -> None:
        store, athlete_id, now = self.house.store, self.house.athlete_id, self.house.clock.now()
        first = now.date() - timedelta(days=days_ago)
        if reason is None:
            answering.take_back(store, athlete_id)
        else:
            answering.keep_answer(store, athlete_id, reason, first, first + timedelta(days=days), now)

    # -- Strava and the network ---------------------------------------------------------------------------------------

    @precondition(lambda self: self.ids())
    @rule(which=st.integers(0, 99))
    def streams_are_not_ready(self, which: int) -> None:
        run = self.pick(which)
        self.doubtful.add(run)
        self.house.world.hold_streams(run)

    @precondition(lambda self: self.ids())
    @rule(which=st.integers(0, 99))
    def streams_are_ready(self, which: int) -> None:
        self.house.world.release_streams(self.pick(which))

    @rule(path=st.sampled_from(PATHS), fault=st.sampled_from(FAULTS), times=st.sampled_from([1, 1, 2, 6, None]))
    def something_breaks(self, path: str, fault: Fault, times: int | None) -> None:
        self.house.world.fail(path, fault, times)

    @precondition(lambda self: self.ids())
    @rule(which=st.integers(0, 99), size=st.integers(1, 3), at=st.integers(1, 3), more=st.booleans())
    def pages_shift_while_they_are_read(self, which: int, size: int, at: int, more: bool) -> None:
        """Short pages, and before the page numbered `at` a run is uploaded or deleted."""
        self.between = at, (lambda: self.upload(40, "Run", False, False, 2)) if more else lambda: self.delete(which)
        self.house.world.most_per_page = size
        self.check(self.house.pull())
        self.house.world.most_per_page = self.between = None

    @rule(count=st.sampled_from([1, 2, 99]))
    def a_list_forgets_the_newest(self, count: int) -> None:
        self.forgotten = count
        self.check(self.house.pull())
        self.forgotten = 0

    @rule()
    def it_is_mended(self) -> None:
        self.house.world.heal()

    @rule(inactive=st.booleans())
    def the_subscription(self, inactive: bool) -> None:
        self.house.world.inactive = inactive

    @rule(short=st.integers(1, 12), long=st.sampled_from([5, 1000]))
    def the_limit_shrinks(self, short: int, long: int) -> None:
        self.limits.read.short_limit, self.limits.read.long_limit = short, long
        self.lessons += 1

    # -- the machine pullback runs on ---------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([0.1, 0.3, 1, 7, 30, 24 * 8, 24 * 30]))
    def time_passes(self, hours: float) -> None:
        self.house.clock.advance(hours=hours)

    @rule(hours=st.sampled_from([-1, -30, -24 * 12, -24 * 100]))
    def the_clock_is_set_back(self, hours: float) -> None:
        self.house.clock.advance(hours=hours)

    @rule(times=st.integers(1, 3))
    def pull(self, times: int) -> None:
        for _ in range(times):
            self.check(self.house.pull())

    @rule(steps=st.integers(0, 4))
    def a_pull_is_told_to_stop(self, steps: int) -> None:
        left = iter(range(steps))
        self.check(self.house.pull(stop=lambda: next(left, None) is None))

    @rule(steps=st.integers(0, 4))
    def the_process_dies_while_it_pulls(self, steps: int) -> None:
        left = iter(range(steps))

        def die() -> bool:
            if next(left, None) is None:
                self.lessons += 1  # what the answers said of the limit dies, too
                raise Died
            return False

        try:
            self.check(self.house.pull(stop=die))
        except Died:
            self.house.reopen()

    @rule()
    def restart(self) -> None:
        self.house.reopen()

    @rule()
    def evaluate(self) -> None:
        self.house.evaluate()

    # -- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def only_what_strava_lacks_counts_as_deleted(self) -> None:
        private = {e.summary["id"] for e in self.true_list(self.house.athlete_id, private=True) if e.private}
        gone = {k.id for k in self.known().values() if k.deleted} & set(self.ids())
        # What was out of sight once comes back when it is listed again, which takes until the next sweep.
        assert gone <= (set() if self.saw_all else private | self.once_private)

    @invariant()
    def strava_is_asked_no_more_than_it_allows(self) -> None:
        """But for a limit that nobody told us of: it shrank, or the answer that said so was lost."""
        untold = sum(a.status in (0, 302) for a in self.house.world.api_calls())
        assert self.limits.overruns <= self.lessons + untold

    @rule()
    def all_is_well_again(self) -> None:
        house = self.house
        house.world.heal()
        house.world.inactive = False
        house.world.tokens.clients["1"] = "secret"
        if not self.sees_private:
            self.the_runner_allows_everything()
        self.limits.read.short_limit, self.limits.read.long_limit = 100, 1000
        for run in self.ids():
            house.world.release_streams(run)
        if isinstance(self.pull_it_all().problem, AccessLost):
            house.authorise()  # what the alert about it asks for
        for _week in range(2 + -(-self.deletions // ASKED_BY_ID)):
            assert self.pull_it_all().problem is None
            house.clock.advance(days=8)
        assert self.pull_it_all().problem is None
        self.the_store_is_what_strava_is()
        house.evaluate()
        self.all_runs_are_judged()

    def the_store_is_what_strava_is(self) -> None:
        known = self.known()
        kept_since = self.house.clock.now() - self.house.config.strava.backfill
        kept_since = min([kept_since, *(k.start - timedelta(seconds=1) for k in known.values())])
        listed = self.true_list(self.house.athlete_id, private=True)
        there = {entry.summary["id"]: entry.summary for entry in listed if entry.start > kept_since.timestamp()}
        alive = {k.id: k for k in known.values() if not k.deleted}
        assert alive.keys() == there.keys()
        for number, held in alive.items():
            summary = there[number]
            assert (held.sport, held.distance_m) == (summary["sport_type"], summary["distance"])
            assert held.start == datetime.fromisoformat(summary["start_date"])
            has_streams = summary["sport_type"] in ("Run", "TrailRun") and not summary["manual"]
            expected = {"have"} if has_streams else {"none"}
            assert held.recording in expected | ({"none"} if number in self.doubtful else set()), held
        state = self.progress()
        assert (state.problem, state.access, state.waiting_until) == (None, None, None)
        assert state.backfill_done and state.history_ready

    def all_runs_are_judged(self) -> None:
        house = self.house
        assert all(run.easy or run.left_out for run in runs(house.store, house.athlete_id, house.config))
        today = local_now(house.store, house.config, house.clock.now()).date().isoformat()
        expected = [documents.verdict_document(verdict) for verdict in house.judged_anew()]
        with house.store.read() as session:
            record = list(judgement.verdicts(session, house.athlete_id))
        # Of days to come, which a clock that was set back leaves behind, nothing is said.
        assert [day for day in record if day["day"] <= today] == [day for day in expected if day["day"] <= today]
        assert self.progress().judge_from is None

    # -- helpers ------------------------------------------------------------------------------------------------------

    def pull_it_all(self) -> Outcome:
        """Pulls until nothing waits for a limit or for streams that take their time."""
        for _ in range(12):
            outcome = self.house.pull()
            self.check(outcome)
            if outcome.waiting_until is not None:
                self.house.clock.moment = outcome.waiting_until
            elif outcome.problem is None and any(k.recording == "waiting" for k in self.known().values()):
                self.house.clock.advance(hours=1)
            else:
                return outcome
        return outcome

    def check(self, outcome: Outcome) -> None:
        assert outcome.problem is None or isinstance(outcome.problem, AccessLost | StravaUnreachable)
        assert isinstance(outcome.problem, UserError | None)

    def list_as_strava_gives_it(self, athlete_id: int, *, private: bool) -> list[Entry]:
        if self.between is not None:
            left, change = self.between
            self.between = (left - 1, change) if left > 0 else None
            if left == 0:
                change()
        return self.true_list(athlete_id, private=private)[self.forgotten :]

    def ids(self) -> list[int]:
        return sorted(e.summary["id"] for e in self.true_list(self.house.athlete_id, private=True))

    def pick(self, which: int) -> int:
        ids = self.ids()
        return ids[which % len(ids)]

    def known(self) -> dict[int, rows.Known]:
        with self.house.store.read() as session:
            return rows.known(session, self.house.athlete_id)

    def progress(self) -> Progress:
        with self.house.store.read() as session:
            return progress(session, self.house.athlete_id)


TestSync = SyncMachine.TestCase
# A story is short enough to be read as it is, and shrinking one would take minutes.
TestSync.settings = settings(
    max_examples=10,
    stateful_step_count=15,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
