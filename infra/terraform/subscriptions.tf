# Push, so that functions scale from 0; without order, exactly-once delivery or a filter, since the functions need none.

resource "google_pubsub_subscription" "push" {
  for_each = local.functions

  name                       = each.value.service
  topic                      = google_pubsub_topic.topic[each.value.listens].id
  ack_deadline_seconds       = each.value.ack_deadline_seconds
  message_retention_duration = "${local.topics[each.value.listens].retention_days * local.day}s"

  push_config {
    push_endpoint = "${local.addresses[each.key]}/${each.value.listens}"

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = local.addresses[each.key]
    }
  }

  retry_policy {
    minimum_backoff = "${each.value.min_backoff_seconds}s"
    maximum_backoff = "${each.value.max_backoff_seconds}s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.topic[local.dead_letter.topic].id
    max_delivery_attempts = each.value.max_delivery_attempts
  }

  expiration_policy {
    ttl = "" # never: the default drops a subscription that has been quiet for 31 days
  }

  lifecycle {
    prevent_destroy = true # takes the messages that it has not delivered yet with it

    precondition {
      condition     = each.value.ack_deadline_seconds > each.value.timeout_seconds
      error_message = "topology.yaml: ${each.key}: expected an ack_deadline_seconds above the timeout_seconds of ${each.value.timeout_seconds}, found ${each.value.ack_deadline_seconds}; a second delivery would start while the first runs."
    }
  }

  depends_on = [
    google_cloud_run_v2_service_iam_member.push,
    google_pubsub_topic_iam_member.dead_letter_agent,
  ]
}

# Pub/Sub itself moves a message to the dead letter: it publishes there, and acknowledges at the source.
resource "google_pubsub_subscription_iam_member" "push_agent" {
  for_each = local.functions

  subscription = google_pubsub_subscription.push[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
