"""The end of a workflow: exactly what was approved is published."""

from typing import Any

from django.core.exceptions import PermissionDenied

APPROVED = "approved"


def publish_approved(workflow_state: Any, user: Any = None) -> None:
    """Publish the revision that the last task of a workflow approved; approvers may not publish anything else.

    Raises `PermissionDenied` if nobody approved it: a workflow also ends if its task is taken away.
    """
    state = workflow_state.current_task_state
    if state is None or state.status != APPROVED:
        raise PermissionDenied("expected an approval at the end of the workflow, found none")
    state.revision.publish(user=user, skip_permission_checks=True)
