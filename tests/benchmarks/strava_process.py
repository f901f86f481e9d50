"""A stand-in Strava in a process of its own, so that its CPU time isn't counted as ours. Prints its address."""

from datetime import UTC, datetime
from threading import Event

from daemon.simulator.standin import StandIn
from daemon.simulator.stories import absorbed
from daemon.simulator.world import Recorded, StravaWorld


def main() -> None:
    now = datetime.now(UTC)
    world = StravaWorld(lambda: now)
    for quota in (world.limits.read, world.limits.overall):
        quota.short_limit = quota.long_limit = 1_000_000
    for made in absorbed(now.date()).activities[-60:]:
        # Made once, before anyone measures.
        world.add(Recorded(made.summary, made.streams, made.laps, made.extra))
    with StandIn(world) as strava:
        print(strava.base_url, flush=True)
        Event().wait()


if __name__ == "__main__":
    main()
