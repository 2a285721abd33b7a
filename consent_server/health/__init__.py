"""How the server feels: health, readiness, metrics, and what is wrong with it or with a page (`consent doctor`)."""
