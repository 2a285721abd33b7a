"""What a visitor holds: receipts, their forms, withdrawal, erasure, retention."""
