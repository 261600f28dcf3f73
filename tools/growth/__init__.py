"""How soon after its end a recording is delivered that goes up while it is on the air."""
