"""Training of the shipped scores, run by hand and repeated by a test; nothing here is deployed."""
