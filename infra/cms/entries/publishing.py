"""The end of a workflow: exactly what was approved is published."""

from typing import Any


def publish_approved(workflow_state: Any, user: Any = None) -> None:
    """Publish the revision that the last task of a workflow approved; approvers may not publish anything else."""
    workflow_state.current_task_state.revision.publish(user=user, skip_permission_checks=True)
