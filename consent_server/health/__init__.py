"""How the server feels: health, readiness, metrics."""
