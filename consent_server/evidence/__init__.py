"""The evidence pack: what an auditor takes away, and the script in it that needs no trust in us."""
