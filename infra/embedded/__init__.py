"""The embedded runtime: Upbeat in one process, below HTTP, on a virtual clock."""
