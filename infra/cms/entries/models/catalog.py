"""The types of entries, each with columns for what its editors set most."""

from typing import Any, get_args

from django.core.exceptions import ValidationError
from django.db import models
from pydantic import BaseModel
from wagtail.fields import StreamField

from entries.blocks import ClausesBlock, VariantsBlock
from entries.fields import ObjectField, ReferenceField, WordsField
from entries.models.entry import CatalogEntry
from shared.decisioning.document import schema

DEFAULT = {"blank": True, "null": True}
ONE_A_LINE = "One a line."


def _choice(part: type[BaseModel], name: str, help_text: str = "") -> models.CharField:
    """A column with the words that the catalog's schema allows; empty for its default."""
    field = part.model_fields[name]
    choices = [(word, word) for word in get_args(field.annotation)]
    text = f"{help_text} Empty: {field.default}." if not field.is_required() else help_text
    return models.CharField(max_length=32, choices=choices, blank=not field.is_required(), help_text=text.strip())


class Channel(CatalogEntry):
    """The rules of a channel."""

    section = "channels"
    days = WordsField(blank=True, help_text=f"The days on which it is used: mon-fri. {ONE_A_LINE} Empty: all.")


class Placement(CatalogEntry):
    """A place where offers are shown."""

    section = "placements"
    channel = models.CharField(max_length=64, help_text="The medium, such as email.")
    max_triggers = models.PositiveIntegerField(**DEFAULT, help_text="The most campaigns at a time. Empty: 1.")
    holds = _choice(schema.Placement, "holds", "The time for which a winner holds its place.")
    fallback = ReferenceField(
        kind="offer",
        blank=True,
        help_text="The offer for users who are eligible for no campaign of the placement.",
    )


class Offer(CatalogEntry):
    """An offer to a user."""

    section = "offers"
    cms_ref = models.CharField("words", max_length=200, help_text="The reference of its words and pictures.")
    validity_hours = models.PositiveIntegerField(help_text="The hours for which it may be shown, 1 to 8760.")
    plans_from = WordsField(blank=True, help_text=f"The plans whose users may get it. {ONE_A_LINE} Empty: all.")
    plan_to = models.CharField(max_length=128, blank=True, help_text="The plan that it leads to.")
    price_ref = models.CharField("price", max_length=200, blank=True, help_text="Its price in another system.")
    status = _choice(schema.Offer, "status", "Only an approved offer is shown to users.")


class Attribute(CatalogEntry):
    """An attribute of users that clauses may use."""

    section = "attributes"
    type = _choice(schema.Attribute, "type", "A value of another type counts as unknown.")


class Feature(CatalogEntry):
    """A feature of users that was computed in the warehouse."""

    section = "features"
    type = _choice(schema.Feature, "type", "A value of another type counts as unknown.")
    max_age_hours = models.PositiveIntegerField(help_text="The age in hours at which a value is stale.")


class Audience(CatalogEntry):
    """A set of users."""

    section = "audiences"
    all = StreamField(ClausesBlock(), blank=True, verbose_name="all of these clauses")
    any = StreamField(ClausesBlock(), blank=True, verbose_name="any of these clauses")
    all_of = WordsField("in all of these audiences", blank=True, help_text=ONE_A_LINE)
    any_of = WordsField("in any of these audiences", blank=True, help_text=ONE_A_LINE)
    none_of = WordsField("known to be in none of these audiences", blank=True, help_text=ONE_A_LINE)


class Experiment(CatalogEntry):
    """Variants of an offer, and how users are assigned to them."""

    section = "experiments"
    variants = StreamField(VariantsBlock())
    state = _choice(schema.ExperimentTerms, "state", "Only a running experiment assigns users.")
    coverage = models.FloatField(**DEFAULT, help_text="The share of users in the experiment, 0 to 1. Empty: 1.")
    control = models.CharField(max_length=64, blank=True, help_text="The variant that others are compared with.")
    goal_metrics = WordsField(blank=True, help_text=ONE_A_LINE)
    guardrail_metrics = WordsField(blank=True, help_text=ONE_A_LINE)


class Campaign(CatalogEntry):
    """The moments, the audience and the placement for an offer, with its limits."""

    section = "campaigns"
    moments = WordsField(help_text=f"The moments that it reacts to, such as renewed or lapsed@7. {ONE_A_LINE}")
    offer = ReferenceField(kind="offer")
    placement = ReferenceField(kind="placement")
    audience = ReferenceField(kind="audience", blank=True, help_text="Empty: all users.")
    priority = models.PositiveIntegerField(help_text="0 to 100. The highest wins the placement.")
    state = _choice(schema.CampaignTerms, "state", "Only a live campaign makes offers.")
    starts_at = models.DateTimeField(**DEFAULT, help_text="The first instant (UTC). Empty: no limit.")
    ends_at = models.DateTimeField(**DEFAULT, help_text="The end (UTC), excluded. Empty: no limit.")
    experiment = ReferenceField(kind="experiment", blank=True, help_text="The experiment that chooses the offer.")
    exclusivity_group = models.CharField(
        max_length=64, blank=True, help_text="A user has an open trigger of at most one campaign of a group."
    )
    days = WordsField(
        blank=True, help_text=f"The days on which it makes offers: mon-fri. {ONE_A_LINE} Empty: all."
    )


class Holdout(CatalogEntry):
    """Users who get no offers, so that lift can be measured."""

    section = "holdouts"
    percent = models.FloatField(help_text="The share of all users in percent, 0.01 to 100.")
    campaigns = WordsField(blank=True, help_text=f"The campaigns that they do not get. {ONE_A_LINE} Empty: all.")
    audience = ReferenceField(kind="audience", blank=True, help_text="Only users in it are held out. Empty: all.")
    starts_at = models.DateTimeField(**DEFAULT, help_text="The first instant (UTC). Empty: no limit.")
    ends_at = models.DateTimeField(**DEFAULT, help_text="The end (UTC), excluded. Empty: no limit.")


class Score(CatalogEntry):
    """A score in use."""

    section = "scores"
    version = models.PositiveIntegerField(help_text="The version of its artifact.")


class Settings(CatalogEntry):
    """The settings of the whole catalog; there is one entry of it."""

    section = "settings"
    kill_switch = models.BooleanField(default=False, help_text="While it is on, no campaign makes any offer.")
    time_zone = models.CharField(max_length=64, blank=True, help_text="Of users whose own is unknown. Empty: UTC.")
    milestones = ObjectField(
        default=dict, blank=True, help_text='The offsets of moments that name none: {"lapsed": [7, 30]}'
    )

    class Meta:
        """Options of the model."""

        verbose_name_plural = "settings"

    def clean(self) -> None:
        """See `CatalogEntry.clean`; the id is always the same, so that there is one entry."""
        if self.entry_id != self.section:
            raise ValidationError({"entry_id": f"expected {self.section}, found {self.entry_id}"})
        super().clean()


KINDS: dict[str, Any] = {
    model.kind(): model
    for model in (
        *(Campaign, Offer, Audience, Placement, Channel, Experiment, Holdout),
        *(Attribute, Feature, Score, Settings),
    )
}
"""The model of each type of entry."""
