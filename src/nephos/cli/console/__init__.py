"""The console: one command table behind three doors."""
