"""Replay: a file of events run through the functions on a virtual clock."""
