"""Problems that are open until they go away, and who is told of what."""
