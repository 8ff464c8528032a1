"""How the shipped scores were trained: run by hand, and again by a test; nothing here is deployed."""
