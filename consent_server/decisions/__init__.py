"""What a visitor answered: settled, signed, stored, counted."""
