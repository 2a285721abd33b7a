"""How a site's settings are edited in the console: a form or the file, a draft, a preview, a plan, and publication."""
