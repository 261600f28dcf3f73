"""Looking after the station: checks, disk space, the doctor."""
