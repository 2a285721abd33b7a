"""What a site does in a real browser, whatever it says: before a choice, after a refusal, a grant and a withdrawal."""
