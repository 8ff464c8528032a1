"""Sweeps over users, resumable: of those with open triggers of a campaign, or of all for a new milestone."""
