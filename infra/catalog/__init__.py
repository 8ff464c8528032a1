"""Catalog files: the shipped one, and reading, comparing and describing any of them."""
