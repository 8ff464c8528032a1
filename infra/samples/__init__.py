"""Sample events of every kind, and stories made of them, dated relative to the present."""
