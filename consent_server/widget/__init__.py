"""How a notice reaches a visitor: scripts, the declaration, pictures."""
