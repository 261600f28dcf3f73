"""What we make of it: pipelines and their steps."""
