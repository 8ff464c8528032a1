"""The rights of a person to the data about them: to have all of it (export), and that it goes (erasure)."""
