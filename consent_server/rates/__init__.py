"""What a marketer reads: rates, alerts, reports, experiments."""
