"""The only room that knows FIT, TCX, GPX and the Strava export. Reads files as values; stores and decides nothing."""
