"""The tables of the site."""

from entries.models.approval import FourEyesTask
from entries.models.catalog import (
    KINDS,
    Attribute,
    Audience,
    Campaign,
    Channel,
    Experiment,
    Feature,
    Holdout,
    Offer,
    Placement,
    Score,
    Settings,
)
from entries.models.entry import CatalogEntry
from entries.models.upbeat import Mistake, Report, Webhook

__all__ = [
    "KINDS",
    "Attribute",
    "Audience",
    "Campaign",
    "CatalogEntry",
    "Channel",
    "Experiment",
    "Feature",
    "FourEyesTask",
    "Holdout",
    "Mistake",
    "Offer",
    "Placement",
    "Report",
    "Score",
    "Settings",
    "Webhook",
]
