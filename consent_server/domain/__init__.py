"""Pure rules: frozen dataclasses and functions. Time and randomness are arguments; nothing here does I/O."""
