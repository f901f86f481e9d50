"""Strava: the only room that knows stravalib and requests. Everybody else meets frozen values and `UserError`s."""
