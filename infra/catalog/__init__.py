"""Catalog files: reading, comparing and describing them, and the shipped catalog."""
