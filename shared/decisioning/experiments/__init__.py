"""Experiments, holdouts and policies: which variant a user gets, and with what probability."""
