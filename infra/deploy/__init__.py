"""Deployment: packages each function as a zip."""
