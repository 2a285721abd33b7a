"""What stands around the server on a machine that people visit."""
