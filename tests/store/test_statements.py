"""What is written by statements made once gives every column of its table: one that is forgotten fails here."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Insert, event

from daemon.store.statements import REPLACE
from daemon.store.tables import VerdictRow
from tests.house import House, plain_run

NEW_WITHOUT = {"activity": {"double_of", "next_attempt_at"}}
"""What no activity has when it comes."""


def test_each_row_of_a_first_sync_names_every_column_of_its_table(house: House) -> None:
    tables = [table.__table__ for table in (*REPLACE, VerdictRow)]  # type: ignore[attr-defined]
    columns = {table.name: set(table.columns.keys()) - NEW_WITHOUT.get(table.name, set()) for table in tables}
    written: dict[str, set[str]] = {}

    def see(
        _connection: Any, statement: Any, rows: Sequence[Mapping[str, Any]], row: Mapping[str, Any], _: Any
    ) -> None:
        if isinstance(statement, Insert) and statement.table.name in columns:
            name = statement.table.name
            for names in map(set, rows or [row]):
                assert names == columns[name], f"{name}: {names ^ columns[name]}"
                written[name] = names

    event.listen(house.store.engine, "before_execute", see)
    house.store._writer = house.store.engine.execution_options(immediate=True)  # noqa: SLF001 - made before we listened
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=20))
    house.pull()
    house.evaluate()
    assert written == columns
