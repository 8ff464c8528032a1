"""The demo: a real purchase history, and a made-up story that covers the whole lifecycle."""
