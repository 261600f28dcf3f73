"""Files of the older programs, taken over line by line."""
