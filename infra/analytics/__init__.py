"""Offline analysis: scores in batches, and the training of models."""
