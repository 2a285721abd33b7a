"""What an operator starts the server with: image, compose file, units, web servers."""
