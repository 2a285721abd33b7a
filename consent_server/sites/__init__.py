"""What a site asks: its file, vendors, languages, notices, and what is in force."""
