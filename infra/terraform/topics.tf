resource "google_pubsub_topic" "topic" {
  for_each = local.topics

  name                       = each.key
  message_retention_duration = "${each.value.retention_days * local.day}s"

  lifecycle {
    prevent_destroy = true # takes the messages that nobody has processed yet with it
  }

  depends_on = [google_project_service.api, terraform_data.topology]
}
