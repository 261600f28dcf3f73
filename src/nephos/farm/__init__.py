"""Jobs, their tasks, and who runs them: at most one worker at a time, and every result committed exactly once."""
