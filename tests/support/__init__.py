"""What tests need: fixtures, the cast, and servers of the tests' own. No test is here."""
