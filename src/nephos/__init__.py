"""Nephos: an unattended media station."""
