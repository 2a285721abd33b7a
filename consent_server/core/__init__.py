"""What has no noun of its own: errors, times, hashes, keys, the database, settings, and the context made of them."""
