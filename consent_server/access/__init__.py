"""Who may: users, roles, tokens, sign-in, the log of look-ups, and the frame of the consoles."""
