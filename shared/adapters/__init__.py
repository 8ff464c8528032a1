"""Adapters: the ports of Upbeat, each filled by one real thing."""
