"""Adapters: implementations of the ports in `shared/ports.py`."""
