"""Policies from what was seen of their arms: refreshed, evaluated before use, simulated."""
