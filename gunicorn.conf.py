"""What `gunicorn wsgi:app` reads in a checkout: the configuration that `consent serve` has too."""

from consent_server.gunicorn_conf import *  # noqa: F403
