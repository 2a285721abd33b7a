"""All tests, by the rooms that they are about; what they share stands in support/."""
