"""The terminal: the console, help pages, values and wording, progress and log lines."""
