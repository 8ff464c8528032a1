"""Benchmarks of the API: each face against a bare handler of its kind that does one get."""
