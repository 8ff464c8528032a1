"""What the demo shows: a real history, and a made-up one that goes through everything."""
