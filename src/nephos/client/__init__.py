"""Client of our own API: commands, tray, workers and stations reach a server through it. No Django."""
