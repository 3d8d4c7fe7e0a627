"""What the pages and the HTTP API do, without Flask."""
