"""Models come to this machine, are checked there, and leave it."""
