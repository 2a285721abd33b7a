"""The people and programs who may: invited, signed in and out, let go."""
