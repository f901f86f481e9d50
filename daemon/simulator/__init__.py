"""Synthetic runners and a Strava stand-in. Only the demo and the tests may import this room."""
