"""Runs history in bulk as Apache Beam pipelines: here on this machine's processors, on Dataflow on many machines.

The command line runs without Beam, which has a virtual environment of its own: `launch` starts its Python.
"""
