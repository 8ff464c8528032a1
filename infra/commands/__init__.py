"""The commands of `upbeat`, one module each. Heavy imports wait until a command runs, so that `--help` is fast."""
