"""What every Django part of the station needs: settings, database, state tables, claims, loops, logs, checks."""
