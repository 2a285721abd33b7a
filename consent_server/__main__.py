"""`python -m consent_server`: the same as `consent`."""

from consent_server.app import main

main()
