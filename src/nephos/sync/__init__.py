"""Where it goes: watches, per-path state, planner, journal, connections. Only `bridge` knows Django."""
