"""The simulated runners: is their life as untidy as real recordings, and is the truth really in the recording?"""

from datetime import date, timedelta

import numpy as np
import pytest

from daemon.simulator.events import (
    Event,
    FasterEasy,
    FaultySensor,
    HardBikeWeeks,
    HeatWave,
    Hills,
    LayOff,
    LutealPhase,
    NewDevice,
    Offset,
    OneSession,
    OtherHours,
    RunDay,
    SpeedWork,
    Strain,
    Treadmill,
    TwoUploads,
    Volume,
)
from daemon.simulator.recording import SimulatedActivity
from daemon.simulator.runner import WORLDS, RunnerSpec, WorldName, simulate, some_runner
from daemon.simulator.sensor import SensorFaults
from daemon.simulator.stories import absorbed, strained
from tests.simulator.residuals import Residuals, residuals

JANUARY = date(2026, 1, 5)  # a Monday


def world(name: WorldName, seeds: int, days: int) -> list[Residuals]:
    begin = date(2025, 1, 1)
    return [residuals(simulate(some_runner(s, name), begin, begin + timedelta(days))) for s in range(1, seeds + 1)]


def mean(values: list[float]) -> float:
    return float(np.mean(values))


@pytest.fixture(scope="module")
def realistic() -> list[Residuals]:
    return world("realistic", seeds=24, days=400)


@pytest.fixture(scope="module")
def quiet() -> list[Residuals]:
    return world("quiet", seeds=4, days=250)


def most(values: list[float]) -> tuple[float, float, float]:
    """The tenth, fiftieth and ninetieth percentile."""
    low, middle, high = np.percentile(values, (10, 50, 90))
    return float(low), float(middle), float(high)


class TestRealisticWorld:
    """Two dozen runners against six real ones: they differ from each other as much, and lie in the same ranges."""

    def test_easy_heart_rate_scatters_from_run_to_run(self, realistic: list[Residuals]) -> None:
        low, middle, high = most([r.between_successive() for r in realistic])
        assert 3.2 <= low < 4.4 and 4.3 <= middle <= 5.7 and 5.3 < high <= 7.5  # six runners: 3.6 to 7.5

    def test_and_more_against_a_lagged_norm(self, realistic: list[Residuals]) -> None:
        low, _, high = most([float(r.against_lagged_norm().std()) for r in realistic])
        assert 4.5 <= low < 6.0 and 7.0 < high <= 9.5  # 4.9 to 8.8

    def test_because_the_level_wanders(self, realistic: list[Residuals]) -> None:
        near, month = (mean([r.autocorrelation(lag) for r in realistic]) for lag in (1, 8))
        assert 0.38 <= near <= 0.65  # .53
        assert 0.1 <= month <= 0.4  # .26
        low, _, high = most([r.steps_of_28_days() for r in realistic])
        assert 2.8 <= low < 4.2 and 5.5 < high <= 7.6  # 2.8 to 7.6

    def test_pace_and_drift_scatter(self, realistic: list[Residuals]) -> None:
        low, _, high = most([float(r.speed.std()) for r in realistic])
        assert low >= 0.11 and high <= 0.20  # .11 to .18
        low, _, high = most([float(np.median(r.cv)) for r in realistic])
        assert low >= 0.03 and high <= 0.10  # .04 to .10
        low, middle, high = most([float(r.drift.std()) for r in realistic])
        assert low >= 0.13 and 0.16 <= middle <= 0.30 and high <= 0.40  # .16 to .30

    def test_weeks_are_irregular(self, realistic: list[Residuals]) -> None:
        assert 0.5 <= mean([float(np.log(r.weekly_minutes).std()) for r in realistic]) <= 0.85  # .59 to .85
        low, middle, high = most([r.run_days_a_week for r in realistic])
        assert 1.8 <= low < 2.3 and 2.2 <= middle <= 2.9 and 2.6 < high <= 3.6  # .8 to 3.5

    def test_runners_differ_in_what_pace_costs_them(self) -> None:
        slopes = [some_runner(seed).body.slope_bpm_per_m_s for seed in range(200)]
        assert 17 <= min(slopes) < 19 and 37 < max(slopes) <= 39


class TestQuietWorld:
    def test_is_as_quiet_as_the_table_says(self, quiet: list[Residuals]) -> None:
        assert 1.7 <= mean([r.between_successive() for r in quiet]) <= 2.5
        assert 2.0 <= mean([float(r.against_lagged_norm().std()) for r in quiet]) <= 2.8
        assert 0.05 <= mean([r.autocorrelation(1) for r in quiet]) <= 0.4
        assert 0.04 <= mean([float(r.speed.std()) for r in quiet]) <= 0.06
        assert 0.15 <= mean([float(np.log(r.weekly_minutes).std()) for r in quiet]) <= 0.3


def easy_pulse(runs: list[SimulatedActivity], begin: date, end: date) -> float:
    """Mean heart rate over minutes 10-40 of the easy runs in between."""
    beats = [
        run.trace().heart_rate_bpm[600:2400].mean()
        for run in runs
        if run.truth.kind == "easy" and begin <= run.start.date() < end
    ]
    return float(np.mean(beats))


def test_the_same_seed_is_the_same_runner_and_a_longer_life_begins_like_a_shorter_one() -> None:
    spec = some_runner(5)
    short = simulate(spec, JANUARY, JANUARY + timedelta(30))
    long = simulate(spec, JANUARY, JANUARY + timedelta(60))
    assert [r.summary for r in short] == [r.summary for r in long[: len(short)]]
    assert short[3].streams == long[3].streams
    assert short[3].streams != short[4].streams


def test_strain_costs_an_easy_run_its_bpm_and_fades_in_hard_running() -> None:
    half, end = JANUARY + timedelta(28), JANUARY + timedelta(70)
    events = [SpeedWork(JANUARY, "intervals", weekday=4)]
    calm = simulate(RunnerSpec(), JANUARY, end, events)
    tired = simulate(RunnerSpec(), JANUARY, end, [*events, Strain(half, bpm=8, days=1)])
    before = [easy_pulse(runs, JANUARY, half) for runs in (calm, tired)]
    after = [easy_pulse(runs, half, end) for runs in (calm, tired)]
    assert before[0] == before[1]
    assert after[1] - after[0] == pytest.approx(8, abs=0.6)
    hardest = [[r.summary["max_heartrate"] for r in runs if r.truth.hard][-1] for runs in (calm, tired)]
    assert hardest[1] - hardest[0] < 4


def test_strain_can_show_as_lost_pace_instead() -> None:
    half, end = JANUARY + timedelta(42), JANUARY + timedelta(84)
    calm = simulate(RunnerSpec(), JANUARY, end)
    slow = simulate(RunnerSpec(), JANUARY, end, [Strain(half, bpm=5, days=1, as_pace=1.0)])
    assert easy_pulse(slow, half, end) == pytest.approx(easy_pulse(calm, half, end), abs=0.7)
    lost = np.mean([a.summary["average_speed"] - b.summary["average_speed"] for a, b in zip(calm, slow, strict=True)])
    assert lost == pytest.approx(5 / 28 / 2, abs=0.02)  # half of the runs lie after it


def test_a_heat_wave_and_faster_running_move_heart_rate_too() -> None:
    begin, end = date(2026, 7, 6), date(2026, 7, 26)
    calm = simulate(RunnerSpec(), begin, end)
    hot = simulate(RunnerSpec(), begin, end, [HeatWave(begin, days=20, warmer_c=10)])
    fast = simulate(RunnerSpec(), begin, end, [FasterEasy(begin, m_s=0.2, days=1)])
    assert easy_pulse(hot, begin, end) - easy_pulse(calm, begin, end) == pytest.approx(7, abs=0.7)
    assert easy_pulse(fast, begin, end) - easy_pulse(calm, begin, end) == pytest.approx(5.6, abs=0.7)


def test_a_session_on_top_adds_a_run_and_one_instead_doesnt() -> None:
    end, begin = JANUARY + timedelta(70), JANUARY + timedelta(35)
    spec = RunnerSpec()
    added = simulate(spec, JANUARY, end, [SpeedWork(begin, weekday=4)])
    replaced = simulate(spec, JANUARY, end, [SpeedWork(begin, weekday=3, instead_of=3)])
    plain = simulate(spec, JANUARY, end)
    hard = [r for r in added if r.truth.hard]
    assert len(hard) == 5
    assert hard[0].truth.kind == "intervals"
    assert hard[0].start.date() >= begin
    assert len(added) == len(plain) + 5
    assert len(plain) <= len(replaced) <= len(plain) + 1  # one Thursday run had been skipped anyway


def test_intervals_look_like_intervals() -> None:
    (run,) = (r for r in simulate(RunnerSpec(), JANUARY, JANUARY + timedelta(7), [SpeedWork(JANUARY)]) if r.truth.hard)
    laps = run.laps
    fast = [lap for lap in laps if lap["average_speed"] > 1.2 * 2.9]
    assert len(fast) >= 4
    assert {lap["elapsed_time"] for lap in fast} == {180}
    assert 170 < max(lap["max_heartrate"] for lap in fast) < 188
    assert sum(lap["elapsed_time"] for lap in laps) == run.summary["elapsed_time"]
    assert sum(lap["distance"] for lap in laps) == pytest.approx(run.summary["distance"], abs=5)


def test_heart_rate_answers_speed_late() -> None:
    events = [OneSession(JANUARY, "intervals", 50)]
    trace = simulate(RunnerSpec(), JANUARY, JANUARY + timedelta(1), events)[0].trace()
    part = slice(900, 2400)
    speed = trace.speed_m_s[part] - trace.speed_m_s[part].mean()
    assert trace.heart_rate_bpm is not None
    match = [float((np.roll(trace.heart_rate_bpm, -lag)[part] * speed).mean()) for lag in range(120)]
    assert 20 <= int(np.argmax(match)) <= 70


def test_a_lay_off_a_new_watch_and_a_race() -> None:
    begin = JANUARY + timedelta(28)
    runs = simulate(
        RunnerSpec(),
        JANUARY,
        JANUARY + timedelta(84),
        [LayOff(begin, days=14), NewDevice(begin, bpm=5), OneSession(JANUARY + timedelta(13), "race", 45)],
    )
    days = {r.start.date() for r in runs}
    assert not any(begin + timedelta(i) in days for i in range(14))
    assert {r.device for r in runs if r.start.date() >= begin} == {"COROS PACE 3"}
    race = next(r for r in runs if r.truth.kind == "race")
    assert race.summary["workout_type"] == 1
    assert race.summary["average_heartrate"] > 165


def test_two_uploads_of_one_run_overlap() -> None:
    tuesday = JANUARY + timedelta(1)
    watch, phone = simulate(RunnerSpec(), tuesday, tuesday + timedelta(1), [TwoUploads(tuesday)])
    assert phone.truth.double_of == watch.id != phone.id
    assert abs((phone.start - watch.start).total_seconds()) < 60
    assert not phone.summary["has_heartrate"]
    assert "heartrate" not in phone.streams
    assert phone.summary["distance"] == pytest.approx(watch.summary["distance"], rel=0.03)


def test_streams_are_one_length_and_agree_with_the_summary() -> None:
    for run in simulate(some_runner(3), JANUARY, JANUARY + timedelta(21)):
        streams, summary = run.streams, run.summary
        assert len({len(data) for data in streams.values()}) == 1
        assert streams["time"][-1] + 1 == summary["elapsed_time"]
        assert streams["distance"][-1] == summary["distance"]
        assert sum(streams["moving"]) == summary["moving_time"]
        assert all(b >= a for a, b in zip(streams["distance"], streams["distance"][1:], strict=False))


def test_faulty_sensors_show_in_the_realistic_world_only() -> None:
    assert WORLDS["quiet"].faults.missing == 0
    spec = RunnerSpec(seed=2, world="realistic")
    runs = simulate(spec, date(2025, 1, 1), date(2025, 12, 31))
    beats = [r.trace().heart_rate_bpm for r in runs]
    assert any(b is None for b in beats)
    assert any(b is not None and b.min() == 0 for b in beats)


@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2027, 2, 28), date(2028, 2, 29)])
def test_the_stories_tell_what_they_say(today: date) -> None:
    tired, fine = strained(today), absorbed(today)
    for story in (tired, fine):
        hard = [r for r in story.activities if r.truth.hard]
        assert hard[0].start.date() == story.introduced_on
        assert {r.start.weekday() for r in hard} == {story.introduced_on.weekday()}
        assert 33 <= (today - story.introduced_on).days <= 42
        assert story.activities[-1].start.date() < today
        assert 28 * 7 <= (today - story.activities[0].start.date()).days <= 30 * 7
    assert tired.activities[-1].truth.strain_bpm == 8
    assert all(r.truth.strain_bpm == 0 for r in fine.activities)


def test_a_story_is_the_same_a_week_later() -> None:
    one, other = (strained(day).activities for day in (date(2026, 11, 23), date(2026, 11, 30)))
    assert [r.start + timedelta(7) for r in one] == [r.start for r in other]
    assert one[-1].streams == other[-1].streams
    assert {r.id for r in one[-3:]}.isdisjoint(r.id for r in other[-3:])


class TestOtherEvents:
    """What else moves a week or a heart, over eight weeks with the event from the fifth on."""

    BEGIN, END = JANUARY + timedelta(28), JANUARY + timedelta(56)

    def lived(self, *events: Event) -> list[SimulatedActivity]:
        return [r for r in simulate(RunnerSpec(), JANUARY, self.END, events) if r.start.date() >= self.BEGIN]

    def test_illness_and_luteal_phase_raise_the_level(self) -> None:
        calm = easy_pulse(self.lived(), self.BEGIN, self.END)
        ill = self.lived(Offset(self.BEGIN, days=28, bpm=10))
        assert easy_pulse(ill, self.BEGIN, self.END) - calm == pytest.approx(10, abs=0.5)
        luteal = [r.truth.offset_bpm for r in self.lived(LutealPhase(self.BEGIN, bpm=3))]
        plain = [r.truth.offset_bpm for r in self.lived()]
        raised = [round(a - b, 6) for a, b in zip(luteal, plain, strict=True)]
        assert sorted(set(raised)) == [0, 3]
        assert raised[0] == 0

    def test_more_volume_another_run_day_and_hard_rides(self) -> None:
        plain = self.lived()
        longer = self.lived(Volume(self.BEGIN, share=1.2))
        assert sum(r.session.minutes for r in longer) == pytest.approx(1.2 * sum(r.session.minutes for r in plain))
        assert len(self.lived(RunDay(self.BEGIN, weekday=0))) == len(plain) + 4
        rides = [r for r in self.lived(HardBikeWeeks(self.BEGIN)) if r.summary["sport_type"] == "Ride"]
        assert len(rides) == 8
        assert {(r.truth.kind, r.summary["type"]) for r in rides} == {("other", "Ride")}

    def test_hills_other_hours_and_a_treadmill(self) -> None:
        plain, hilly = self.lived(), self.lived(Hills(self.BEGIN))
        assert np.mean([r.summary["total_elevation_gain"] for r in hilly]) > 2 * np.mean(
            [r.summary["total_elevation_gain"] for r in plain]
        )
        assert {r.summary["name"] for r in self.lived(OtherHours(self.BEGIN))} >= {"Evening Run"}
        indoors = self.lived(Treadmill(self.BEGIN, days=28))
        assert all(r.summary["trainer"] and r.summary["total_elevation_gain"] == 0 for r in indoors)

    def test_a_faulty_sensor(self) -> None:
        broken = self.lived(FaultySensor(self.BEGIN, days=28, faults=SensorFaults(missing=1.0)))
        assert not any(r.summary["has_heartrate"] for r in broken)


def test_ids_need_more_than_32_bits_and_grow() -> None:
    ids = [r.id for r in simulate(RunnerSpec(), JANUARY, JANUARY + timedelta(60))]
    assert ids == sorted(set(ids))
    assert ids[0] > 2**32
