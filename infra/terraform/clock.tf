resource "google_cloud_scheduler_job" "tick" {
  for_each = local.schedules

  name        = each.key
  description = "Publishes an empty JSON object to ${each.key}."
  region      = var.scheduler_region
  schedule    = each.value
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.topic[each.key].id
    data       = base64encode("{}")
  }
}
