"""What a machine lives through while its processes have a hard time, and what must be there in the end."""

import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from daemon.verdict.telling import near
from tests.soak.machine import Life, Machine, mark

HERE = "deleted_at IS NULL"
SURELY_TOLD_DAYS = 7
"""What stood in the record for so long was looked at by a process that came to its end, however many die [ENG]."""
LIVES_A_ROUND = 1.5
"""Some come to their end before what was to befall them [ENG]."""


@dataclass
class Story:
    """`figures` are printed; `wrong` is what must not be."""

    machine: Machine
    random: Random
    rounds: int
    figures: defaultdict[str, Any] = field(default_factory=lambda: defaultdict(int))
    wrong: list[str] = field(default_factory=list)
    planted: int = 0
    imported: int = 0

    @property
    def hours_a_round(self) -> float:
        """A year and no more, however many lives it has: that is what Strava's answers and the record are sized for."""
        return min(24.0, 300 * 24.0 / (LIVES_A_ROUND * self.rounds))

    def begin(self) -> None:
        self.machine.runner(days=int(LIVES_A_ROUND * self.rounds * self.hours_a_round / 24) + 10)
        self.machine.authorise()

    def time_passes(self) -> None:
        self.machine.offset += timedelta(hours=self.random.uniform(0.2, 1.8 * self.hours_a_round))
        self.things_happen()
        # Asked by the channels' own threads.
        channels = Random(self.random.random())
        for box in self.machine.boxes.values():
            box.refuses = lambda: channels.random() < 0.1

    def things_happen(self) -> None:
        """The runner edits and deletes runs; something is to be told; a token ends before its time."""
        machine, chance = self.machine, self.random.random
        if chance() < 0.5:
            self.planted += 1
            machine.plant(self.planted)
        here = [entry.recording.summary["id"] for entry in machine.world.visible(machine.world.runner, private=True)]
        if chance() < 0.1:
            machine.world.edit(here[self.random.randrange(6)], name=f"Run again {self.random.random()}")
        if chance() < 0.05:
            machine.world.delete(here[self.random.randrange(6)])
            self.figures["deleted"] += 1
        if chance() < 0.05:
            machine.world.tokens.kill_access()

    def record_more(self) -> Path:
        """A few recordings more in the runner's folder, from hours at which nobody else runs."""
        folder = self.machine.folder / "recordings"
        folder.mkdir(exist_ok=True)
        for _ in range(self.random.randint(1, 3)):
            night = self.machine.born + timedelta(days=self.imported % 80 - 80)
            start = night.replace(hour=self.imported // 80, minute=0, second=0, microsecond=0)
            self.imported += 1
            (folder / f"{self.imported}.gpx").write_text(recorded(start))
        return folder

    def renew_access(self) -> None:
        """Where the process died between Strava's new tokens and their commit, the runner signs in again."""
        state = json.loads((self.machine.sql("SELECT data FROM sync_state WHERE athlete_id > 1") or [("{}",)])[0][0])
        if state.get("access") in ("lost", "revoked"):
            if state["access"] == "revoked":
                self.wrong.append("access is gone, and nobody knows why")
            self.figures["access lost"] += 1
            self.machine.authorise()

    def let_live(self) -> None:
        """Nothing stands in the way any more: what is left is fetched, judged and told."""
        machine = self.machine
        for box in machine.boxes.values():
            box.refuses = lambda: False
        if self.imported:
            machine.live(Life("import", ["import", str(machine.folder / "recordings")]), daemon=False)
        for _ in range(12):
            machine.offset += timedelta(hours=7)
            complete = machine.live(Life("sync", ["sync"]), daemon=False)["code"] == 0
            self.wrong += machine.look()
            self.renew_access()
            waiting = machine.sql(f"SELECT count(*) FROM activity WHERE recording != 'have' AND {HERE}")
            if complete and waiting == [(0,)]:
                return
        self.wrong.append("no sync comes to its end any more")

    def settle(self) -> list[str]:
        """What is missing in the end, or there too often."""
        self._runs()
        self._alerts()
        self._record()
        self._warnings()
        self._log()
        return self.wrong

    def _runs(self) -> None:
        machine = self.machine
        there = {entry.recording.summary["id"] for entry in machine.world.visible(machine.world.runner, private=True)}
        rows = machine.sql(f"SELECT id, source, recording FROM activity WHERE {HERE}")
        here = {number for number, source, _ in rows if source == "strava"}
        self.figures |= {"runs on Strava": len(there), "runs imported": self.imported}
        if here != there:
            self.wrong.append(f"missing runs: {sorted(there - here)}, runs that aren't there: {sorted(here - there)}")
        if len(rows) - len(here) != self.imported:
            self.wrong.append(f"{len(rows) - len(here)} imported runs, not {self.imported}")
        if waiting := [number for number, _, recording in rows if recording != "have"]:
            self.wrong.append(f"without a recording: {waiting}")
        if machine.sql("SELECT count(*) FROM series")[0][0] < len(rows):
            self.wrong.append("series are missing")

    def _alerts(self) -> None:
        machine = self.machine
        states = dict(machine.sql("SELECT state, count(*) FROM delivery GROUP BY state"))
        self.figures |= {"alerts": machine.sql("SELECT count(*) FROM alert")[0][0]}
        self.figures |= {"deliveries sent": states.get("sent", 0), "deliveries withdrawn": states.get("withdrawn", 0)}
        self.figures |= {"letters": sum(len(box.letters) for box in machine.boxes.values())}
        self.figures |= {"killed between answer and commit": sum(machine.windows.values())}
        if set(states) - {"sent", "withdrawn"}:
            self.wrong.append(f"deliveries are left: {states}")
        rows = machine.sql("SELECT title, text FROM alert WHERE kind = 'planted' ORDER BY id")
        if len(rows) != self.planted:
            self.wrong.append(f"{len(rows)} of {self.planted} letters are known")
        for number, words in enumerate(rows, 1):
            for channel in machine.boxes:
                if not machine.received((channel, mark(*words))):
                    self.wrong.append(f"letter {number} never arrived")

    def _record(self) -> None:
        """The record that grew bit by bit is the one that is made from the runs in one go."""
        machine = self.machine
        question = "SELECT day, data FROM verdict ORDER BY day"
        grown = machine.sql(question)
        again = machine.folder / "again" / "pullback.db"
        again.parent.mkdir()
        machine.live(Life("backup", ["backup", str(again)]), daemon=False)
        with closing(sqlite3.connect(again)) as connection, connection:
            connection.execute("DELETE FROM verdict")
            connection.execute("DELETE FROM metrics")
        machine.live(Life("sync", ["sync"], state=again.parent), daemon=False)
        made = machine.sql(question, again)
        pairs = zip(grown, made, strict=False)
        differ = [day for (day, data), (_, other) in pairs if json.loads(data) != json.loads(other)]
        self.figures |= {"days judged": len(grown)}
        if differ or len(grown) != len(made):
            self.wrong.append(f"{len(differ)} days of the record differ from those made again: {differ[:3]}")

    def _warnings(self) -> None:
        """What the record warns of for long enough was told, on every channel, and so was its end."""
        machine = self.machine
        days = [(day, json.loads(data)) for day, data in machine.sql("SELECT day, data FROM verdict ORDER BY day")]
        due = due_alerts([(day, verdict) for day, verdict in days if day > f"{machine.born:%Y-%m-%d}"])
        self.figures |= {"warnings and all-clears due": len(due)}
        if not due and self.rounds * self.hours_a_round >= 50 * 24:
            self.wrong.append("the story has nothing to warn of")
        rows = machine.sql("SELECT kind, episode, title, text FROM alert")
        for kind, began in due:
            marks = [mark(*words) for k, episode, *words in rows if k == kind and near(episode[:10], began)]
            for channel in machine.boxes:
                if not any(machine.received((channel, each)) for each in marks):
                    how = "arrived" if marks else "was opened"
                    self.wrong.append(f"the {kind} of {began} never {how} on {channel}")

    def _log(self) -> None:
        log = (self.machine.folder / "log").read_text()
        self.figures |= {"tracebacks": log.count("Traceback")}
        if "Traceback" in log or "this is a bug" in log:
            self.wrong.append(log[max(0, log.find("Traceback") - 300) :][:3000])


def due_alerts(record: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, str]]:
    """Kind and first day of what a record (day, verdict) asks to be told for long enough to be surely told."""
    stood: Counter[tuple[str, str]] = Counter()
    pulled_back = None
    for _, verdict in record:
        state, memory = verdict["state"], verdict["memory"]
        if state == "pull_back":
            pulled_back = memory["episode"]
            stood["pull_back", pulled_back] += 1
        elif state == "watch":
            stood["watch", memory["watch"]] += 1
        elif state in ("stable", "absorbing") and pulled_back is not None:
            stood["all_clear", pulled_back] += 1
    told = [key for key, days in stood.items() if days >= SURELY_TOLD_DAYS]
    return [(kind, began) for kind, began in told if kind != "all_clear" or ("pull_back", began) in told]


def figures_of(story: Story) -> str:
    return "\n".join(f"{name:>34} {number}" for name, number in story.figures.items())


def recorded(start: datetime) -> str:
    """Ten minutes due north at 3 m/s, as a watch writes them."""
    points = "".join(
        f'<trkpt lat="{50 + second * 2.698e-5:.8f}" lon="8.0"><ele>100</ele>'
        f"<time>{start + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}</time></trkpt>"
        for second in range(0, 600, 5)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><gpx creator="a watch" version="1.1" '
        'xmlns="http://www.topografix.com/GPX/1/1">'
        f"<trk><name>At night</name><type>running</type><trkseg>{points}</trkseg></trk></gpx>"
    )
