"""Pages about one user for the terminal: state, timeline and decision."""
