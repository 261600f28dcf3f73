"""One TOML file, typed and checked; the home folder; secrets by reference; where each value came from."""
