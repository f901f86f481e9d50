"""What pullback costs: CPU per synced run, replay, the idle daemon, its start, the help. Prints; asserts the promises.

Ratios are taken within one run of one process, so that a busy machine slows both sides.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import httpx
import pytest
import requests

from daemon import metrics
from daemon.access import authorise, connect
from daemon.config import Config, StravaConfig
from daemon.evaluate import evaluate, replay
from daemon.signals import SignalParams
from daemon.simulator.stories import absorbed
from daemon.store import Store, open_store
from daemon.store import activities as rows
from daemon.store.progress import Progress, progress, save_progress
from daemon.strava.auth import Tokens, authorize_url, exchange
from daemon.strava.convert import STREAM_KEYS, read_activity, read_streams
from daemon.sync import pull

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


class Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


def a_config(base_url: str = "https://www.strava.com") -> Config:
    signals = {name: getattr(SignalParams(), name) for name in SignalParams.__dataclass_fields__}
    strava = StravaConfig(client_id=1, client_secret="secret", base_url=base_url, api_url=f"{base_url}/api/v3")
    return Config(strava=strava, signals=signals)


@contextmanager
def strava_process() -> Iterator[str]:
    command = [sys.executable, str(HERE / "strava_process.py")]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def consent(base_url: str) -> Tokens:
    answer = httpx.get(authorize_url(base_url, 1, "http://localhost:9/", "s"), follow_redirects=False)
    asked = parse_qs(urlparse(answer.headers["location"]).query)
    scope = frozenset(asked["scope"][0].split(","))
    tokens, _ = exchange(
        client_id=1,
        client_secret="secret",
        code=asked["code"][0],
        scope=scope,
        base_url=base_url,
        api_url=f"{base_url}/api/v3",
    )
    return tokens


def plain_cpu_s(base_url: str, tokens: Tokens) -> tuple[float, int]:
    """CPU seconds of `requests` and `json` for the same answers, and how many runs there were."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {tokens.access}"
    api = f"{base_url}/api/v3"
    began = time.process_time()
    listed = json.loads(session.get(f"{api}/athlete/activities", params={"per_page": 200}).content)
    for item in listed:
        keys = {"keys": ",".join(STREAM_KEYS), "key_by_type": "true"}
        json.loads(session.get(f"{api}/activities/{item['id']}/streams", params=keys).content)
    return time.process_time() - began, len(listed)


def our_cpu_s(path: Path, base_url: str, tokens: Tokens) -> float:
    store = open_store(path)
    authorise(store, tokens)
    config = a_config(base_url)
    strava = connect(store, config, Now())
    assert strava is not None
    strava.athlete()  # what is loaded once isn't a cost of a run
    began = time.process_time()
    outcome = pull(
        store, strava, tokens.athlete_id, Now(), backfill=timedelta(weeks=52), raw_retention=timedelta(days=7)
    )
    evaluate(store, tokens.athlete_id, config, datetime.now(UTC))
    spent = time.process_time() - began
    assert outcome.pending == 0 and outcome.problem is None
    store.close()
    return spent


def test_cpu_per_synced_run(tmp_path: Path) -> None:
    ratios, ours, plains = [], [], []
    with strava_process() as base_url:
        tokens = consent(base_url)
        plain_cpu_s(base_url, tokens)
        for n in range(5):
            plain, count = plain_cpu_s(base_url, tokens)
            our = our_cpu_s(tmp_path / f"{n}.db", base_url, tokens)
            ratios.append(our / plain)
            ours.append(1000 * our / count)
            plains.append(1000 * plain / count)
    ratio = statistics.median(ratios)
    print(
        f"\nCPU per synced run: {statistics.median(ours):.1f} ms (fetched, cleaned, stored, judged), "
        f"requests + json {statistics.median(plains):.1f} ms, ratio {ratio:.2f} (promised 5), "
        f"{min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds"
    )
    assert ratio <= 5


def a_long_history(path: Path, count: int) -> Store:
    """`count` runs, five a week, ending today: measured recordings of one simulated runner, over and over."""
    pool = []
    for made in absorbed(datetime.now(UTC).date()).activities[:150]:
        activity = read_activity(made.summary, 1)
        streams = read_streams({key: {"data": data} for key, data in made.streams.items()})
        assert activity is not None and streams is not None
        pool.append((activity, metrics.measure(activity, metrics.make_series(streams))))
    store = open_store(path)
    today = datetime.now(UTC)
    with store.write() as session:
        for n in range(count):
            activity, measured = pool[(count - n) % len(pool)]
            start = (today - timedelta(days=1 + n * 7 / 5)).replace(hour=7, minute=n % 60, second=0, microsecond=0)
            rows.save_activity(session, replace(activity, id=n + 1, start=start), today, recording="have")
            own = metrics.to_json(replace(measured, moving_s=measured.moving_s + n / 1000))  # no two runs are the same
            rows.save_metrics(session, 1, {n + 1: own}, metrics.VERSION)
        save_progress(session, 1, Progress(history_ready=True, backfill_done=True))
    return store


def test_replay_of_ten_years(tmp_path: Path) -> None:
    spent = {}
    for count in (300, 3000):
        store = a_long_history(tmp_path / f"{count}.db", count)
        began = time.process_time()  # the shorter one takes half a second: on a busy machine the clock would be chance
        replayed = replay(store, 1, a_config(), datetime.now(UTC))
        spent[count] = time.process_time() - began
        print(f"\nreplay of {count} runs over {len(replayed.days)} days: {spent[count]:.2f} s of CPU")
        store.close()
    ratio = spent[3000] / spent[300]
    print(f"replay of 3000 runs against 300: {ratio:.1f} x (promised 12), {spent[3000]:.1f} s (promised 20)")
    assert ratio <= 12 and spent[3000] <= 20


@pytest.mark.parametrize("count", [780, 1100])
def test_judging_one_new_run(tmp_path: Path, count: int) -> None:
    """Three years of five or seven runs a week and one run more: from the stored series to the recorded verdict."""
    store, now, spent = a_long_history(tmp_path / "years.db", count), datetime.now(UTC), []
    evaluate(store, 1, a_config(), now)
    with store.read() as session:
        (pattern, numbers), *_ = rows.measured(session, 1)
    for n in range(9):
        late = replace(pattern, id=10_000 + n, start=now - timedelta(minutes=90 - n))
        with store.write() as session:
            rows.save_activity(session, late, now, recording="have")
            rows.save_metrics(session, 1, {late.id: numbers}, metrics.VERSION)
            save_progress(session, 1, replace(progress(session, 1), judge_from=late.day))
        began = time.process_time()
        evaluate(store, 1, a_config(), now)
        spent.append(1000 * (time.process_time() - began))
    store.close()
    print(f"\njudging one new run on {count} of three years: {statistics.median(spent):.0f} ms of CPU (promised 50)")
    assert statistics.median(spent) <= 50


def start_daemon(folder: Path, config: Path, notify: socket.socket) -> tuple[subprocess.Popen[bytes], float]:
    """Starts the daemon; returns it and the seconds until it said READY=1."""
    environ = os.environ | {
        "NOTIFY_SOCKET": notify.getsockname(),
        "STATE_DIRECTORY": str(folder),
        "PYTHONPATH": str(ROOT),
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "daemon", "--config", str(config), "run"], env=environ, stderr=subprocess.DEVNULL
    )
    while b"READY=1" not in notify.recv(4096):
        continue
    return process, time.perf_counter() - began


def resident_mb(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def test_the_idle_daemon(tmp_path: Path) -> None:
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.settimeout(30)
    with strava_process() as base_url:
        config = tmp_path / "config.toml"
        config.write_text(
            f'[strava]\nclient_id = 1\nclient_secret = "secret"\nbase_url = "{base_url}"\n'
            f'api_url = "{base_url}/api/v3"\n[alerts]\nurls = ["json://127.0.0.1:9/"]\n'
        )
        config.chmod(0o600)
        store = open_store(tmp_path / "pullback.db")
        authorise(store, consent(base_url))
        store.close()
        starts = []
        for _ in range(5):
            process, ready_s = start_daemon(tmp_path, config, notify)
            starts.append(ready_s)
            _wait_for(notify, b"synced")
            memory = resident_mb(process.pid)
            process.terminate()
            stopped = time.perf_counter()
            process.wait(10)
            stop_s = time.perf_counter() - stopped
    ready = statistics.median(starts)
    print(f"\nstart to READY: {ready:.2f} s (promised 2), stop: {stop_s:.2f} s (promised 5)")
    print(f"idle daemon after a poll without news: {memory:.0f} MB resident (promised 130, aimed at 80)")
    assert ready <= 2 and memory <= 130 and stop_s <= 5


def _wait_for(notify: socket.socket, word: bytes) -> None:
    while word not in notify.recv(4096):
        continue


def test_the_help() -> None:
    spent = []
    for _ in range(9):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "daemon", "--help"], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        spent.append(time.perf_counter() - began)
    print(f"\npullback --help: {statistics.median(spent):.2f} s (promised 0.4)")
    assert statistics.median(spent) <= 0.4


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-s"]))
