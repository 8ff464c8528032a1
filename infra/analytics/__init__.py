"""Offline analysis: batch scoring, and the training of models."""
