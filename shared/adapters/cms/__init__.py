"""Sources of a catalog's entries in content management systems."""
