"""A self-hosted consent manager: one tag, signed receipts, an auditable ledger."""

__version__ = "0.2.0"
