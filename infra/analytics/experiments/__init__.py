"""Reports about experiments and holdouts: what they did, for whom, and how sure that is."""
