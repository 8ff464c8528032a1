"""Everything around the functions: the topology, packaging, the local runtimes and the command line."""
