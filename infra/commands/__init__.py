"""The commands of `python -m infra`, one module each; heavy imports wait until a command runs."""
