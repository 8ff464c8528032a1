"""Features of users from the warehouse, written to Bigtable for the functions to read."""
