"""What an auditor looks for: records, samples, gaps, evidence packs."""
