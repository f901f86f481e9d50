"""The bits of `Series.flags`: one byte per five-second row, why heart rate is missing or must not be compared there.

Holds constants and words only; the bits are stored, so a bit's meaning never changes.
"""

from typing import Final

HR_MISSING: Final = 1  # no sample, or a value no heart has
HR_SPIKE: Final = 2  # lone samples far from their neighbours
HR_FLAT: Final = 4  # the same value for too long
HR_CADENCE: Final = 8  # the sensor counted steps
HR_START: Final = 16  # dry or cold sensor at the start
STOPPED: Final = 32  # standing or walking
RESTART: Final = 64  # the first minute after a stop: heart rate still climbs
NO_DATA: Final = 128  # the watch was paused

NOT_RUNNING: Final = STOPPED | NO_DATA
UNSETTLED: Final = STOPPED | NO_DATA | RESTART

WORDS: Final[dict[int, str]] = {
    HR_MISSING: "heart rate drops out",
    HR_SPIKE: "spikes in heart rate",
    HR_FLAT: "flat heart rate",
    HR_CADENCE: "sensor counted your steps",
    HR_START: "sensor not settled at the start",
}
