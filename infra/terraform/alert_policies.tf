# One policy for each row of alerts.tf. Its documentation leads to the runbook of the same name.

resource "google_monitoring_alert_policy" "threshold" {
  for_each = local.threshold_alerts

  display_name          = each.value.title
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = local.channels

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = "${each.value.seconds}s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
        group_by_fields      = [each.value.group_by]
      }
    }
  }

  documentation {
    content = "${local.runbook}${lower(replace(each.value.title, " ", "-"))}"
  }

  depends_on = [google_project_service.api]
}

# No tick at all is no value above a threshold but no value.
resource "google_monitoring_alert_policy" "clock" {
  display_name          = "The clock has stopped"
  severity              = "CRITICAL"
  combiner              = "OR"
  notification_channels = local.channels

  conditions {
    display_name = "No tick for 10 minutes"

    condition_absent {
      filter   = "metric.type=\"pubsub.googleapis.com/topic/send_request_count\" AND resource.type=\"pubsub_topic\" AND resource.labels.topic_id=one_of(${local.tick_names})"
      duration = "600s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_RATE"
      }
    }
  }

  documentation {
    content = "${local.runbook}the-clock-has-stopped"
  }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "query" {
  for_each = local.query_alerts

  display_name          = each.value.title
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = local.channels

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query                     = each.value.query
      duration                  = "${each.value.seconds}s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  documentation {
    content = "${local.runbook}${lower(replace(each.value.title, " ", "-"))}"
  }

  depends_on = [google_logging_metric.upbeat]
}

resource "google_monitoring_alert_policy" "line" {
  for_each = local.line_alerts

  display_name          = each.value.title
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = local.channels

  conditions {
    display_name = each.value.title

    condition_matched_log {
      filter           = each.value.filter
      label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }
    }
  }

  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    content = "${local.runbook}${lower(replace(each.value.title, " ", "-"))}"
  }

  depends_on = [google_project_service.api]
}

# A budget of 28 days is gone in two days at 14.4 times the allowed rate, in five at 6 times.
# https://sre.google/workbook/alerting-on-slos/
resource "google_monitoring_alert_policy" "burn" {
  for_each = local.burn_alerts

  display_name          = each.value.title
  severity              = "CRITICAL"
  combiner              = "OR"
  notification_channels = local.channels

  dynamic "conditions" {
    for_each = { "3600s" = 14.4, "21600s" = 6 }

    content {
      display_name = "${each.value.title}: ${conditions.value} times the allowed rate over ${conditions.key}"

      condition_threshold {
        filter          = "select_slo_burn_rate(\"${each.value.slo}\", \"${conditions.key}\")"
        comparison      = "COMPARISON_GT"
        threshold_value = conditions.value
        duration        = "0s"
      }
    }
  }

  documentation {
    content = "${local.runbook}${lower(replace(each.value.title, " ", "-"))}"
  }
}
