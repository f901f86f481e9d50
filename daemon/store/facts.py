"""An activity as the JSON that the store keeps of it, and back. It opens no session and decides nothing."""

import hashlib
import json
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from daemon.values import Activity, Lap

DETAIL = ("laps", "perceived_exertion", "device")
NOT_LISTED = (*DETAIL, "weather_temperature_c", "dew_point_c", "offset_guessed")
"""Facts that no list answer carries: they come with the detail, or with an import."""

_FIELDS = tuple(f.name for f in fields(Activity))
_FIELD_SET = frozenset(_FIELDS)
_LAP_FIELDS = tuple(f.name for f in fields(Lap))


def facts_of(activity: Activity) -> dict[str, Any]:
    """The activity, JSON-ready."""
    # Like `asdict`, which is three times as slow: an import does this for thousands of activities.
    facts = {name: getattr(activity, name) for name in _FIELDS}
    facts["start"] = activity.start.isoformat()
    facts["laps"] = [{name: getattr(lap, name) for name in _LAP_FIELDS} for lap in activity.laps]
    return facts


def from_facts(facts: dict[str, Any]) -> Activity:
    """The activity `facts_of` was given."""
    # Keys a newer version wrote are skipped: a downgrade must still read the rows.
    known = {k: v for k, v in facts.items() if k in _FIELD_SET} if facts.keys() - _FIELD_SET else facts
    laps = tuple(Lap(**lap) for lap in facts.get("laps") or ())
    return Activity(**known | {"start": datetime.fromisoformat(facts["start"]), "laps": laps})


# The daemon reads the same texts at every evaluation; one more than this holds, and it would read all of them anew.
@lru_cache(maxsize=4096)
def from_text(text: str) -> Activity:
    """The same, of the column as it is stored."""
    return from_facts(json.loads(text))


def content_hash(activity: Activity) -> str:
    """A digest of the facts a list answer carries."""
    facts = {k: v for k, v in facts_of(activity).items() if k not in NOT_LISTED}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
