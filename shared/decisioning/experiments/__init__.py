"""Experiments, holdouts and policies: the variant that a user gets, and its probability (propensity)."""
