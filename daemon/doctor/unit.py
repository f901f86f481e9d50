"""The service as systemd sees it, where there is a systemd. Only asks."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from daemon.doctor.finding import Finding, off, ok, problem, warning

UNIT = "pullback"
BOOTED = Path("/run/systemd/system")
"""There when systemd runs this machine (sd_booted(3))."""
WANTED = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "Type",
    "NotifyAccess",
    "NeedDaemonReload",
    "StatusText",
)


def shown() -> Mapping[str, str] | None:
    """The unit's properties, None where no systemd runs or answers."""
    if not BOOTED.exists():
        return None
    try:
        done = subprocess.run(
            ["systemctl", "show", f"--property={','.join(WANTED)}", UNIT],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def service(show: Callable[[], Mapping[str, str] | None] = shown) -> Iterator[Finding]:
    """Installed, enabled, active, and able to say how it is."""
    unit = show()
    if unit is None:
        yield off("systemd", "none answers here: start `pullback run` some other way, and see that it stays up")
        return
    if unit.get("LoadState") != "loaded":
        yield off("systemd", "no unit is installed: `sudo make install` does, or start `pullback run` some other way")
        return
    state = unit.get("ActiveState", "unknown")
    # Between two starts that failed it waits as "activating", which by itself is also a start like any other.
    again = unit.get("SubState", "").startswith("auto-restart")
    if state == "failed" or again:
        what = "doesn't come up" if again else "has failed"
        yield problem("systemd", f"the service {what}: journalctl -u {UNIT} says why")
    elif state not in ("active", "reloading", "activating"):
        yield problem("systemd", f"the service is {state}: systemctl enable --now {UNIT}")
    elif unit.get("UnitFileState") not in ("enabled", "static", "generated", "linked"):
        yield warning("systemd", f"the service runs, and won't after a restart: systemctl enable {UNIT}")
    else:
        yield ok("systemd", f"the service is {state} and enabled" + _said(unit))
    if unit.get("Type", "").startswith("notify") and unit.get("NotifyAccess") == "none":
        yield problem("systemd", f"NotifyAccess=none: it is killed as if stuck; systemctl revert {UNIT}")
    if unit.get("NeedDaemonReload") == "yes":
        yield warning("systemd", "the unit has changed since it was read: systemctl daemon-reload")


def _said(unit: Mapping[str, str]) -> str:
    return f' and says "{unit["StatusText"]}"' if unit.get("StatusText") else ""
