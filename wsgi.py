"""gunicorn's entry: `gunicorn wsgi:app`."""

from consent_server.app import start

app = start()
