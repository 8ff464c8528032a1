"""What-if studies: one history replayed under two catalogs, and the difference."""
