"""The picture that goes with an alert, drawn by a short-lived process of its own: its libraries are too large to keep.

It decides nothing, and never fails its caller: an alert without a picture is still an alert.
"""

import logging
import os
import subprocess
import sys
from pathlib import Path

import daemon
from daemon.report.data import PictureData

log = logging.getLogger(__name__)

TIMEOUT_S = 30.0
"""How long whoever wants a picture waits for it at most [ENG]. A second or two are enough; a small machine that starts
cold, and makes its list of fonts first, needs many more."""

KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "OPENBLAS_NUM_THREADS", "XDG_CACHE_HOME", "SYSTEMROOT")
"""What the process needs of the environment; no secret that may stand there."""


def picture(data: PictureData, *, timeout_s: float = TIMEOUT_S) -> bytes | None:
    """A PNG of about 1080 by 1350 pixels; None, and a line in the log, where it can't be had."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "daemon.report.draw"],
            input=data.as_json().encode(),
            capture_output=True,
            timeout=timeout_s,
            check=True,
            env=environment(),
            cwd=Path(daemon.__file__).parents[1],
        )
    except subprocess.TimeoutExpired:
        log.warning("no picture, drawing takes too long seconds=%.0f", timeout_s)
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        log.warning('no picture problem="%s"', said)
    except OSError as error:
        log.warning('no picture problem="%s"', error)
    else:
        return done.stdout
    return None


def environment() -> dict[str, str]:
    """What the process is given of this one's environment."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    if folder := os.environ.get("STATE_DIRECTORY", "").split(":")[0]:
        # The service has no home to keep its list of fonts in, and would make it anew for every picture.
        kept["MPLCONFIGDIR"] = f"{folder}/matplotlib"
    return kept
