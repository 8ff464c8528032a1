# Metrics of the functions' log lines, whose fields shared/observability/event_log.py names; objectives and who is told.

locals {
  channels       = [for channel in google_monitoring_notification_channel.email : channel.id]
  event_services = [for function in local.functions : function.service if !contains(keys(local.schedules), function.listens)]
  function_names = join(", ", [for function in local.functions : "\"${function.service}\""])
  event_names    = join(", ", [for service in local.event_services : "\"${service}\""])
  api_names      = join(", ", [for service in concat(values(local.services), values(local.grpc_services)) : "\"${service.service}\""])
  webhook_names  = [for service in local.webhooks : "\"${service.service}\""]
  deployed_names = join(", ", concat([local.function_names, local.api_names], local.webhook_names))

  log_lines     = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${replace(local.deployed_names, ",", " OR")})"
  outcome_lines = "${local.log_lines} AND jsonPayload.outcome:*"
  event_lines   = "${local.outcome_lines} AND jsonPayload.topic:*"
  call_lines    = "${local.outcome_lines} AND jsonPayload.method:*"

  # A line's field by the metric's name; a metric without a value counts lines. Each label is a field too. A label
  # `method` makes it one of the calls of the API.
  log_metrics = {
    calls     = { labels = ["method", "outcome", "reason"], value = null, unit = "1", description = "Calls of the API by their outcome." }
    call_time = { labels = ["method"], value = "duration_ms", unit = "ms", description = "Time from a call to its answer." }
    events    = { labels = ["topic", "outcome", "reason", "cold_start", "features_failure"], value = null, unit = "1", description = "Deliveries by their outcome." }
    latency   = { labels = ["topic"], value = "latency_ms", unit = "ms", description = "Time from a message's publication to the answer." }
    duration  = { labels = ["topic"], value = "duration_ms", unit = "ms", description = "Time from the request to the answer." }
    due_users = { labels = [], value = "due_users", unit = "1", description = "Users for whom a tick published a message." }
    left      = { labels = [], value = "left", unit = "1", description = "Shards of due users that a tick passed on to the next one." }
    unmatched = { labels = [], value = "waiting_verdicts", unit = "1", description = "Refunds, disputes and extensions whose payment is not known, by user." }
  }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alert_emails)

  type         = "email"
  display_name = each.key
  labels       = { email_address = each.key }

  depends_on = [google_project_service.api]
}

resource "google_logging_metric" "upbeat" {
  for_each = local.log_metrics

  name             = "upbeat/${each.key}"
  description      = each.value.description
  filter           = join(" AND ", concat([contains(each.value.labels, "method") ? local.call_lines : local.event_lines], each.value.value == null ? [] : ["jsonPayload.${each.value.value}:*"]))
  value_extractor  = each.value.value == null ? null : "EXTRACT(jsonPayload.${each.value.value})"
  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = each.value.value == null ? "INT64" : "DISTRIBUTION"
    unit        = each.value.unit

    dynamic "labels" {
      for_each = each.value.labels

      content {
        key = labels.value
      }
    }
  }

  # From 1 ms to 24 minutes: a delivery at once, and one after several retries.
  dynamic "bucket_options" {
    for_each = each.value.value == null ? [] : [0]

    content {
      exponential_buckets {
        num_finite_buckets = 35
        growth_factor      = 1.5
        scale              = 1
      }
    }
  }

  depends_on = [google_project_service.api]
}

# User-defined metrics count a line before an exclusion drops it, so counts do not depend on what is stored.
# https://cloud.google.com/logging/docs/logs-based-metrics
resource "google_logging_project_exclusion" "successes" {
  count = var.stored_successes < 1 ? 1 : 0

  name        = "upbeat-successes"
  description = "Drops ${(1 - var.stored_successes) * 100}% of the lines of successful events and calls from storage."
  filter      = "${local.outcome_lines} AND severity<WARNING AND sample(insertId, ${1 - var.stored_successes})"

  depends_on = [google_project_service.api]
}

# Cloud Run writes a line of its own for every request; those of successful ones say nothing that our lines do not.
resource "google_logging_project_exclusion" "requests" {
  name        = "upbeat-requests"
  description = "Drops Cloud Run's own log lines of successful requests from storage."
  filter      = "${local.log_lines} AND log_id(\"run.googleapis.com/requests\") AND httpRequest.status<400"

  depends_on = [google_project_service.api]
}

resource "google_monitoring_custom_service" "upbeat" {
  service_id   = "upbeat"
  display_name = "Upbeat"

  depends_on = [google_project_service.api]
}

resource "google_monitoring_slo" "answered" {
  service             = google_monitoring_custom_service.upbeat.service_id
  slo_id              = "answered"
  display_name        = "99.9% of deliveries are acknowledged at once"
  goal                = 0.999
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      total_service_filter = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=one_of(${local.function_names})"
      good_service_filter  = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=one_of(${local.function_names}) AND metric.labels.response_code_class=\"2xx\""
    }
  }
}

resource "google_monitoring_slo" "fast" {
  service             = google_monitoring_custom_service.upbeat.service_id
  slo_id              = "fast"
  display_name        = "99% of events are answered within a second"
  goal                = 0.99
  rolling_period_days = 28

  request_based_sli {
    distribution_cut {
      distribution_filter = "metric.type=\"run.googleapis.com/request_latencies\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=one_of(${local.event_names})"

      range {
        max = 1000
      }
    }
  }
}
