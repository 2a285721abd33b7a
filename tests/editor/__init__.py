"""The forms of a receipt, and the pages that check it."""
