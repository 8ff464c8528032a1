"""Replay: runs a file of events through the functions on a virtual clock."""
