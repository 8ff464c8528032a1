# Every message of every topic lands in BigQuery as it was published; models (models.tf) parse what can be parsed.

locals {
  landing_days = 31 # the longest retention of Pub/Sub: there is no dead letter, so an outage may last that long
  raw_columns = {
    subscription_name = "STRING"
    message_id        = "STRING"
    publish_time      = "TIMESTAMP"
    attributes        = "JSON"
    data              = "BYTES" # JSON would refuse every message that is none
  }
}

resource "google_bigquery_dataset" "warehouse" {
  dataset_id  = "upbeat"
  location    = var.bigquery_location
  description = "Upbeat's messages: a raw table for each topic."

  depends_on = [google_project_service.api]
}

resource "google_bigquery_table" "raw" {
  for_each = local.topics

  dataset_id               = google_bigquery_dataset.warehouse.dataset_id
  table_id                 = "raw_${replace(each.key, "-", "_")}"
  description              = "Messages of ${each.key} as they were published; Pub/Sub may deliver one more than once."
  require_partition_filter = true
  deletion_protection      = true
  schema                   = jsonencode([for name, type in local.raw_columns : { name = name, type = type }])

  time_partitioning {
    type          = "DAY"
    field         = "publish_time"
    expiration_ms = var.expiry_days * local.day * 1000
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_bigquery_dataset_iam_member" "landing_agent" {
  dataset_id = google_bigquery_dataset.warehouse.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = local.pubsub_agent
}

# No dead letter: the one of the dead-letter topic would feed itself.
resource "google_pubsub_subscription" "landing" {
  for_each = local.topics

  name                       = "${each.key}-landing"
  topic                      = google_pubsub_topic.topic[each.key].id
  ack_deadline_seconds       = 60
  message_retention_duration = "${local.landing_days * local.day}s"

  bigquery_config {
    table          = "${var.project}.${google_bigquery_table.raw[each.key].dataset_id}.${google_bigquery_table.raw[each.key].table_id}"
    write_metadata = true
  }

  expiration_policy {
    ttl = ""
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_bigquery_dataset_iam_member.landing_agent]
}
