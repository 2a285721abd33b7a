"""A copy of all that a server holds, and a server made of it again."""
