resource "google_firestore_database" "default" {
  name                              = "(default)" # the one that the functions use
  location_id                       = var.firestore_location
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC"
  app_engine_integration_mode       = "DISABLED"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  deletion_policy                   = "DELETE" # refused by the protection; the default forgets the database instead

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.api]
}

import {
  for_each = var.import_database ? ["(default)"] : []
  to       = google_firestore_database.default
  id       = "projects/${var.project}/databases/${each.value}"
}

resource "google_firestore_backup_schedule" "daily" {
  database  = google_firestore_database.default.name
  retention = "${14 * local.day}s"

  daily_recurrence {}
}

# The clock's query: the users of a shard who are due, oldest first.
resource "google_firestore_index" "due" {
  database   = google_firestore_database.default.name
  collection = "subscriptions"

  fields {
    field_path = "due_shard"
    order      = "ASCENDING"
  }

  fields {
    field_path = "next_due_at"
    order      = "ASCENDING"
  }
}

locals {
  # Every field that Upbeat writes, except for those by which queries ask, through the index that Firestore keeps of each
  # field by itself: subscriptions.open_campaigns, by which a recall finds the holders of a campaign, mails.user_id, by
  # which an erasure finds a user's, and publications.number. No other query needs an index of a single field, and each
  # one costs a write. A collection's fields are listed, since the provider refuses `*`:
  # https://github.com/hashicorp/terraform-provider-google/issues/19598
  unindexed = {
    subscriptions = ["blob", "due_shard", "erased_at", "next_due_at", "summary", "user_id"]
    catalog       = ["approved_by", "catalog", "emergency", "number", "published_by", "version"]
    publications  = ["approved_by", "emergency", "published_at", "published_by", "version"]
    scores        = ["artifact"]
    policies      = ["policy"]
    clock         = ["began_at", "holder", "leased_until", "next_due_at", "told", "user_id"]
    proposals     = ["approved_by", "authors", "catalog", "proposed_at"]
    syncs         = ["asked", "authors", "holder", "served", "until", "version"]
    sweeps        = ["after", "began_at", "finished", "id", "number", "published"]
    mails         = ["clicked_at", "dismissed_at", "forget_at", "leased_until", "sent_at", "state", "target"]
    mail_readers  = ["newest", "opted_out_at"]
  }

  # The instant at which Firestore deletes a document by itself.
  forgotten = { mails = "forget_at" }
}

resource "google_firestore_field" "unindexed" {
  for_each = merge([
    for collection, fields in local.unindexed : {
      for field in fields : "${collection}/${field}" => { collection = collection, field = field }
    }
  ]...)

  database   = google_firestore_database.default.name
  collection = each.value.collection
  field      = each.value.field

  index_config {}

  dynamic "ttl_config" {
    for_each = lookup(local.forgotten, each.value.collection, "") == each.value.field ? [0] : []

    content {}
  }
}
