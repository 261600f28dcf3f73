"""A soak: a station under fire, and every packet accounted for."""
