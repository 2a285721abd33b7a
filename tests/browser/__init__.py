"""Whole journeys in a real browser: a page on its own origin, a real server, vendors that answer like the real ones."""
