"""Four eyes: the task of a workflow that nobody may do who wrote what is to be approved."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from wagtail.models import AbstractGroupApprovalTask, TaskState, WorkflowState

from entries.models.entry import CatalogEntry


class FourEyesTask(AbstractGroupApprovalTask):
    """An approval by a member of a group who wrote no part of the draft."""

    def start(self, workflow_state: WorkflowState, user: Any = None) -> TaskState:
        """See `Task.start`. The entry is read again: Wagtail has it from before the draft that is submitted."""
        workflow_state.content_object.refresh_from_db(fields=["latest_revision"])
        return super().start(workflow_state, user=user)

    def get_actions(self, obj: CatalogEntry, user: Any) -> list[Any]:
        """See `Task.get_actions`."""
        actions = super().get_actions(obj, user)
        state = obj.current_workflow_task_state
        if state and refusal(obj, state, user) is None:
            return actions
        return [action for action in actions if action[0] != "approve"]

    @transaction.atomic
    def on_action(self, task_state: TaskState, user: Any, action_name: str, **kwargs: Any) -> None:
        """See `Task.on_action`. Raises `PermissionDenied`."""
        if action_name == "approve":
            entry = task_state.workflow_state.content_object
            if reason := refusal(entry, task_state, user):
                raise PermissionDenied(reason)
        super().on_action(task_state, user, action_name, **kwargs)

    @classmethod
    def get_description(cls) -> str:
        """See `Task.get_description`."""
        return "Members of the chosen groups approve what others wrote"

    class Meta:
        """Options of the model."""

        verbose_name = "four-eyes approval"
        verbose_name_plural = "four-eyes approvals"


def refusal(entry: CatalogEntry, state: TaskState, user: Any) -> str | None:
    """The reason why a user may not approve; None if the user may."""
    if user is None or user.pk in _authors(entry):
        return "expected an approver who wrote no part of the draft, found one of its authors"
    if state.revision_id != entry.latest_revision_id:
        return "expected the draft that was submitted, found a newer one: submit it again"
    return None


def _authors(entry: CatalogEntry) -> set[int]:
    """The writers of the newest draft, and of those that came after what is published."""
    drafts = entry.revisions.exclude(user=None)
    if entry.last_published_at:
        drafts = drafts.filter(Q(pk=entry.latest_revision_id) | Q(created_at__gt=entry.last_published_at))
    return {*drafts.values_list("user_id", flat=True)}
