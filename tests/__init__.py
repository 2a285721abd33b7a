"""All tests; what they share stands in factories.py, postgresql.py and jose.py."""
