"""`nephos start`: the roles as child processes, watched, restarted and stopped in order. No Django here."""
