"""Promises that the whole tree keeps."""
