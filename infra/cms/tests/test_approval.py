"""Four eyes: what one person wrote is published once another has approved it."""

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from wagtail.models import Task

from entries.access import APPROVERS
from entries.models import KINDS, Webhook


def seen(ask):
    """The only entry, as Upbeat reads it."""
    [entry] = ask("entries").json()["entries"]
    return entry["fields"].get("validity_hours"), entry["author"], entry["approved_by"]


def test_an_edit_is_published_once_another_person_has_approved_it(editor, approver, offer, ask):
    editor.edit(offer, validity_hours=96)
    assert seen(ask) == (72, "admin", None)
    editor.edit(offer, "submit")
    assert seen(ask) == (72, "admin", None)
    assert approver.approve(offer).status_code == 302
    assert seen(ask) == (96, "editor", "approver")


def test_a_new_entry_is_seen_once_it_is_approved(editor, approver, ask):
    editor.add("offer", "submit", entry_id="trial", cms_ref="offers/trial", validity_hours=24, more="{}")
    offer = KINDS["offer"].objects.get()
    assert ask("entries").json() == {"entries": [], "next": None}
    approver.approve(offer)
    assert seen(ask) == (24, "editor", "approver")


@pytest.mark.parametrize("is_admin", [False, True])
def test_nobody_approves_what_they_wrote(editor, approver, admin, offer, ask, is_admin):
    author = admin if is_admin else approver
    author.edit(offer, "submit", validity_hours=96)
    assert author.approve(offer).status_code in {200, 302, 403}
    task_state = offer.current_workflow_task_state
    direct = author.post(author.page(offer, "workflow_action", "approve", task_state.pk), {"comment": ""})
    assert direct.status_code == 302  # to the first page, with a message
    with pytest.raises(PermissionDenied, match="found one of its authors"):
        task_state.task.specific.on_action(task_state, author.user, "approve")
    assert seen(ask) == (72, "admin", None)
    assert not any(name == "approve" for name, *_ in task_state.task.specific.get_actions(offer, author.user))


def test_who_wrote_a_part_of_the_draft_does_not_approve_it(editor, approver, offer, ask):
    approver.edit(offer, validity_hours=96)
    editor.edit(offer, "submit", plan_to="annual")
    approver.approve(offer)
    assert seen(ask) == (72, "admin", None)
    other = type(editor)(type(editor.user).objects.create_user("other"))
    other.user.groups.add(Group.objects.get(name=APPROVERS))
    other.approve(offer)
    assert seen(ask) == (96, "editor", "other")


def test_who_wrote_what_was_published_before_may_approve_what_others_wrote(editor, approver, admin, offer, ask):
    approver.edit(offer, "submit", validity_hours=80)
    admin.approve(offer)
    editor.edit(offer, "submit", validity_hours=96)
    approver.approve(offer)
    assert seen(ask) == (96, "editor", "approver")


def test_a_published_draft_that_its_author_overwrites_is_not_approved_by_the_author(approver, admin, offer, ask):
    approver.edit(offer, "submit", validity_hours=80)
    admin.approve(offer)
    offer.refresh_from_db()
    approver.edit(offer, "submit", validity_hours=96, overwrite_revision_id=offer.latest_revision_id)
    approver.approve(offer)
    assert seen(ask) == (80, "approver", "admin")


def test_what_is_approved_is_what_was_submitted(editor, approver, offer, ask):
    editor.edit(offer, "submit", validity_hours=96)
    refused = approver.approve(offer, validity_hours=1)
    assert "It differs from what was submitted" in refused.content.decode()
    refused = approver.edit(offer, validity_hours=1)
    assert "request changes before you change it" in refused.content.decode()
    editor.edit(offer, validity_hours=1)
    assert offer.revisions.count() == 2
    approver.approve(offer)
    assert seen(ask) == (96, "editor", "approver")


def test_what_awaits_an_approval_offers_that_first_and_no_draft(editor, approver, offer):
    def buttons(person):
        page = BeautifulSoup(person.get(person.page(offer, "edit")).content, "html.parser")
        return [button.text.strip() for button in page.select("form[data-edit-form] footer button.button")]

    assert buttons(approver)[0] == "Save draft"
    editor.edit(offer, "submit", validity_hours=96)
    assert buttons(approver)[0] == "Approve and Publish"
    assert "Save draft" not in buttons(approver)
    assert not any("Approve" in button for button in buttons(editor))


def test_a_draft_that_is_newer_than_what_was_submitted_is_not_published_with_it(editor, approver, offer, ask):
    editor.edit(offer, "submit", validity_hours=96)
    offer.refresh_from_db()
    newer = offer.get_latest_revision_as_object()
    newer.validity_hours = 1
    newer.save_revision(user=editor.user)
    approver.approve(offer)
    offer.refresh_from_db()
    state = offer.current_workflow_task_state
    with pytest.raises(PermissionDenied, match="found a newer one"):
        state.task.specific.on_action(state, approver.user, "approve")
    assert seen(ask) == (72, "admin", None)


@pytest.mark.parametrize("button", ["publish", "unpublish"])
def test_editors_and_approvers_publish_nothing_at_once(editor, approver, offer, ask, button):
    for person in (editor, approver):
        if button == "publish":
            person.edit(offer, "publish", validity_hours=1)
        else:
            person.post(person.page(offer, "unpublish"))
            person.post(person.page(offer, "delete"))
    assert seen(ask) == (72, "admin", None)


def test_an_administrator_may_publish_at_once_and_nobody_approved_it(admin, editor, approver, offer, ask):
    editor.edit(offer, "submit", validity_hours=96)
    approver.approve(offer)
    admin.edit(offer, "publish", validity_hours=1)
    assert seen(ask) == (1, "admin", None)


def test_a_refused_draft_is_changed_and_submitted_again(editor, approver, offer, ask):
    editor.edit(offer, "submit", validity_hours=96)
    state = offer.current_workflow_task_state
    approver.post(approver.page(offer, "workflow_action", "reject", state.pk), {"comment": "too long"})
    editor.edit(offer, "submit", validity_hours=48)
    approver.approve(offer)
    assert seen(ask) == (48, "editor", "approver")


def test_an_older_version_is_published_again_by_the_same_way(editor, approver, offer, ask):
    first = offer.latest_revision_id
    editor.edit(offer, "submit", validity_hours=96)
    approver.approve(offer)
    revert = editor.page(offer, "revisions_revert", first)
    editor.post(revert, editor.form_at(revert))
    assert seen(ask) == (96, "editor", "approver")
    editor.edit(offer, "submit")
    approver.approve(offer)
    assert seen(ask) == (72, "editor", "approver")


def test_a_workflow_that_ends_without_an_approval_publishes_nothing(editor, offer):
    editor.edit(offer, "submit", validity_hours=96)
    task = offer.current_workflow_task
    with pytest.raises(PermissionDenied, match="expected an approval at the end of the workflow"):
        task.deactivate()
    Task.objects.filter(pk=task.pk).update(active=False)
    offer.current_workflow_state.cancel()
    with pytest.raises(PermissionDenied, match="expected an approval at the end of the workflow"):
        offer.get_workflow().start(offer, editor.user)
    offer.refresh_from_db()
    assert offer.validity_hours == 72


def test_what_was_published_before_and_is_submitted_again_needs_another_person_too(admin, editor, offer):
    offer.unpublish()
    state = offer.get_workflow().start(offer, editor.user).current_task_state
    with pytest.raises(PermissionDenied, match="found one of its authors"):
        state.task.specific.on_action(state, admin.user, "approve")


def test_who_refused_a_draft_did_not_approve_it(editor, approver, offer, ask):
    editor.edit(offer, "submit", validity_hours=96)
    state = offer.current_workflow_task_state
    approver.post(approver.page(offer, "workflow_action", "reject", state.pk), {"comment": ""})
    state.revision.publish()
    assert seen(ask) == (96, "editor", None)


def test_each_publication_and_each_end_of_one_is_told(editor, approver, admin, offer):
    editor.edit(offer, "submit", validity_hours=96)
    approver.approve(offer)
    admin.post(admin.page(offer, "unpublish"))
    admin.edit(offer, "publish")
    admin.post(admin.page(offer, "delete"))
    told = [*Webhook.objects.order_by("pk").values_list("event", "kind", "entry_id", "by")]
    published, unpublished = ("published", "offer", "annual", ""), ("unpublished", "offer", "annual", "admin")
    assert told == [published, published, unpublished, published, unpublished]
    assert all(webhook.due_at <= timezone.now() for webhook in Webhook.objects.all())
