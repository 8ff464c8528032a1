# Letters wait in the hold until they are redriven (upbeat redrive) or expire; an alert tells of the first one.

resource "google_pubsub_subscription" "hold" {
  name                       = local.dead_letter.subscription
  topic                      = google_pubsub_topic.topic[local.dead_letter.topic].id
  ack_deadline_seconds       = 600 # a redrive holds its letters while it sends them
  message_retention_duration = "${local.topics[local.dead_letter.topic].retention_days * local.day}s"

  expiration_policy {
    ttl = ""
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_pubsub_topic_iam_member" "dead_letter_agent" {
  topic  = google_pubsub_topic.topic[local.dead_letter.topic].name
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}
