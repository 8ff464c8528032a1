"""The Wagtail site in which merchandisers edit the catalog of Upbeat."""
