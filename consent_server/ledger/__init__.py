"""That nothing was changed: tree, seals, proofs, witnesses, timestamps."""
