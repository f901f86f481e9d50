"""Files to store: `bring` reads recordings and the tables of exports and takes in what is new. Judges nothing."""

from daemon.importer.bringing import Outcome, bring

__all__ = ["Outcome", "bring"]
