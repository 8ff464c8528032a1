"""The decisions service, version 1: its definition, and the messages and the service generated from it."""
