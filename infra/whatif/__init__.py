"""What-if studies: replays one history with two catalogs and compares the triggers."""
