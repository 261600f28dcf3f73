"""The command line: nouns, then verbs. Every command calls the API, so local and remote are one path."""
