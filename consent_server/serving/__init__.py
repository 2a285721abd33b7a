"""How the server is run: its database brought up to date, gunicorn, and a demonstration."""
