"""The local runtimes: the same functions on a laptop, wired by the same table as in the cloud."""
