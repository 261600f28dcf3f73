"""Ground floor: small tools that need nothing but the standard library."""
