"""The entries of the catalog: edited, approved and published in Wagtail, and read by Upbeat."""
