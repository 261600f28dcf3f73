"""The only HTTP: pages, API, live updates and media files."""
