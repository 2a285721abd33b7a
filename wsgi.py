"""gunicorn's entry: `gunicorn wsgi:app`."""

from consent_server.app import create_app

app = create_app()
