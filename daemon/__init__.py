"""pullback: notices when speed work starts to cost a runner's easy runs, and says so."""

__version__ = "0.1.0"
