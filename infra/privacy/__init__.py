"""What a person may ask of the data about them: all of it (export), and that it goes (erasure)."""
