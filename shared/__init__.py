"""Upbeat: everything the functions share."""
