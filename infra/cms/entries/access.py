"""The groups of the site and its workflow, made after each migration and left alone where they were changed."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from wagtail.models import Workflow, WorkflowContentType, WorkflowTask

from entries.models import KINDS, FourEyesTask

EDITORS, APPROVERS = "Catalog editors", "Catalog approvers"
FOUR_EYES = "Four eyes"


def ensure(**_: Any) -> None:
    """Make the groups and the workflow, unless they are there.

    Nobody but an administrator may publish, unpublish or delete at once: all else takes the workflow's way.
    """
    editors, made = Group.objects.get_or_create(name=EDITORS)
    if made:
        editors.permissions.set(_permissions("add", "change", "view"))
    approvers, made = Group.objects.get_or_create(name=APPROVERS)
    if made:
        approvers.permissions.set(_permissions("add", "change", "view", "lock", "unlock"))
    if not Workflow.objects.filter(name=FOUR_EYES).exists():
        _assign(_workflow(approvers))


def _permissions(*verbs: str) -> QuerySet[Permission]:
    names = [f"{verb}_{model._meta.model_name}" for verb in verbs for model in KINDS.values()]
    of_entries = Permission.objects.filter(content_type__app_label="entries", codename__in=names)
    return of_entries | Permission.objects.filter(codename="access_admin")


def _workflow(approvers: Group) -> Workflow:
    task = FourEyesTask.objects.create(name=FOUR_EYES)
    task.groups.add(approvers)
    workflow = Workflow.objects.create(name=FOUR_EYES)
    WorkflowTask.objects.create(workflow=workflow, task=task)
    return workflow


def _assign(workflow: Workflow) -> None:
    for content_type in ContentType.objects.get_for_models(*KINDS.values()).values():
        WorkflowContentType.objects.get_or_create(content_type=content_type, defaults={"workflow": workflow})
