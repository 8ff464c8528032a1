"""Deployment: the zip of each function."""
