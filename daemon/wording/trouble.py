"""What is told when no runs arrive: Strava refuses, and how to mend it; nothing was fetched for long; or a bug of ours.

Pure.
"""

from datetime import datetime

from daemon.clock import day_text
from daemon.measures import counted

_ACCESS = {
    "inactive": (
        "Strava access paused: subscription lapsed",
        "Strava answers that your API application is inactive: it works only while its owner has a Strava "
        "subscription.\n\nSubscribe again, then reactivate the application at https://www.strava.com/settings/api. "
        "pullback looks again by itself; until then no new runs arrive.",
    ),
    "revoked": (
        "Strava access was withdrawn",
        "Strava no longer accepts pullback's access to your account, so no new runs arrive.\n\n"
        "Run `pullback auth` to allow it again. Nothing that was judged so far is lost.",
    ),
    "lost": (
        "Strava access got lost on the way",
        "Strava sent pullback a new key and it didn't get here: the network failed, or this machine stopped just then. "
        "The old key no longer works, so no new runs arrive.\n\n"
        "Run `pullback auth` to get another. Nothing that was judged so far is lost.",
    ),
    "scope": (
        "Strava access is too narrow",
        "Strava allows pullback less than it needs to read your runs, so some or all of them are missing.\n\n"
        "Run `pullback auth` and leave the boxes for viewing activities ticked, private ones included.",
    ),
    "client": (
        "Strava refuses the client secret",
        "Strava does not know this client id and secret, so no new runs arrive.\n\n"
        "Compare `client_id` and `client_secret` in the config with https://www.strava.com/settings/api.",
    ),
    "unreachable": (
        "Strava cannot be reached",
        "Strava has not answered for some time, so no new runs arrive.\n\n"
        "pullback keeps trying and loses nothing; if your network is fine, look at https://status.strava.com.",
    ),
}


def access(reason: str) -> tuple[str, str]:
    """Title and text about lost access: "inactive", "revoked", "lost", "scope", "client" or "unreachable"."""
    unknown = ("Strava access has a problem", f"Strava refuses access ({reason}). Run `pullback check` to see why.")
    return _ACCESS.get(reason, unknown)


def broken(since: datetime, now: datetime) -> tuple[str, str]:
    """Every look at the runs since then (aware) ended in a bug of ours. `now` is on the runner's wall clock."""
    on = day_text(since.astimezone(now.tzinfo).date(), now.date())
    return (
        "pullback has a bug and can't judge your runs",
        f"Since {on} every look at your runs has failed in pullback itself. Until that is mended nothing new is "
        "judged, and silence doesn't mean that all is well.\n\n"
        "Upgrade pullback; if it has a bug still, report what its log says (journalctl -u pullback). It tries again by "
        "itself, and `pullback check` shows whether it works.",
    )


def stale(last_sync: datetime | None, now: datetime) -> tuple[str, str]:
    """Nothing was fetched since `last_sync` (aware; None: never). `now` is on the runner's wall clock."""
    again = "" if last_sync is None else " again"
    end = (
        f"Until it can{again}, nothing new is judged, and silence doesn't mean that all is well.\n\n"
        "Run `pullback check` to see why."
    )
    if last_sync is None:
        return "Nothing fetched from Strava yet", f"pullback has not been able to read your runs yet. {end}"
    days = (now - last_sync).days
    on = day_text(last_sync.astimezone(now.tzinfo).date(), now.date())
    return f"Nothing fetched from Strava for {counted(days, 'day')}", f"pullback last read your runs on {on}. {end}"


def unfetched(recordings: int) -> str:
    """That what is shown rests on part of the history; "" where every recording is there, or none will come."""
    if not recordings:
        return ""
    which = "1 recording is" if recordings == 1 else f"{recordings} recordings are"
    those = "that run counts by its summary" if recordings == 1 else "those runs count by their summaries"
    return f"{which} still to be fetched from Strava: until then {those} alone, and verdicts may change."
