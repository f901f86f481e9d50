"""A series as bytes and back, without loss on what `make_series` makes. Defines the store's resolution, and only that.

Layout: b"PS", version, step (s), number of rows (uint32), then zlib of the flags and six columns of int16
differences, low bytes apart from high bytes (steady running then compresses well). NaN is the lowest int16.
"""

import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from daemon.values import FloatArray, Series

COLUMNS: Final = (
    ("speed_m_s", 100.0),
    ("grade", 1000.0),
    ("heart_rate_bpm", 5.0),
    ("cadence_rpm", 2.0),
    ("altitude_m", 5.0),
    ("temperature_c", 2.0),
)
"""Column and steps per unit: 1 cm/s, 0.1 %, 0.2 bpm, 0.5 rpm, 20 cm, 0.5 °C."""

MISSING: Final = -32768
_HEAD: Final = struct.Struct("<2sBBI")
_MAGIC: Final = b"PS"
_VERSION: Final = 1


def to_integers(values: FloatArray, per_unit: float) -> NDArray[np.int16]:
    """`values` in steps of 1/`per_unit`, clipped to what int16 holds; NaN and infinities become `MISSING`."""
    scaled = np.clip(np.rint(values * per_unit), -32767.0, 32767.0)
    return np.where(np.isfinite(values), scaled, MISSING).astype(np.int16)


def from_integers(values: NDArray[np.int16], per_unit: float) -> FloatArray:
    """The inverse of `to_integers`."""
    return np.where(values == MISSING, np.nan, values / per_unit)


def rounded(values: FloatArray, name: str) -> FloatArray:
    """`values` of column `name` as the store will give them back."""
    per_unit = dict(COLUMNS)[name]
    with np.errstate(invalid="ignore"):
        return from_integers(to_integers(values, per_unit), per_unit)


def encode_series(series: Series) -> bytes:
    """About 2-4 kB per hour of running."""
    parts = [np.asarray(series.flags, dtype=np.uint8).tobytes()]
    for name, per_unit in COLUMNS:
        with np.errstate(invalid="ignore"):
            integers = to_integers(getattr(series, name), per_unit).view(np.uint16)
        steps = np.diff(integers, prepend=np.uint16(0)).astype("<u2").view(np.uint8)
        parts += [steps[0::2].tobytes(), steps[1::2].tobytes()]
    head = _HEAD.pack(_MAGIC, _VERSION, series.step_s, series.flags.size)
    return head + zlib.compress(b"".join(parts), 4)


def decode_series(data: bytes) -> Series:
    """The series `encode_series` was given. Raises ValueError on bytes that aren't one."""
    if len(data) < _HEAD.size or data[:2] != _MAGIC:
        raise ValueError("not a stored series")
    _, version, step_s, rows = _HEAD.unpack_from(data)
    try:
        body = np.frombuffer(zlib.decompress(data[_HEAD.size :]), dtype=np.uint8)
    except zlib.error as error:
        raise ValueError("damaged series") from error
    if version != _VERSION or body.size != rows * (1 + 2 * len(COLUMNS)):
        raise ValueError("not a stored series of this version")
    block = body.reshape(1 + 2 * len(COLUMNS), rows)
    columns = {}
    for k, (name, per_unit) in enumerate(COLUMNS):
        steps = block[1 + 2 * k].astype(np.uint16) | (block[2 + 2 * k].astype(np.uint16) << np.uint16(8))
        columns[name] = from_integers(np.cumsum(steps, dtype=np.uint16).view(np.int16), per_unit)
    return Series(flags=block[0].copy(), step_s=int(step_s), **columns)
