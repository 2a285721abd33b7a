"""Where people begin: whether all is well with their sites, and what this server is to who is not signed in."""
