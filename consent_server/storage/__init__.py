"""The only SQL. Every function takes an explicit session and never commits."""
