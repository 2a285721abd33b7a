"""HTTP: translate in, translate out, decide nothing."""
