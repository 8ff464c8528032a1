# Each alert's title is the heading of its runbook in docs/operations.md.

locals {
  landing_names = join(", ", [for topic in keys(local.topics) : "\"${topic}-landing\""])
  tick_names    = join(", ", [for topic in keys(local.schedules) : "\"${topic}\""])
  sync_names    = join(", ", [for name in keys(local.table.webhooks) : "\"${replace(name, "_", "-")}\""])
  last_attempt  = min([for function in local.functions : function.max_delivery_attempts]...)
  metric        = "logging_googleapis_com:user_upbeat"
  from_lines    = "monitored_resource=\"cloud_run_revision\""
  of_ticks      = "topic=~\"${join("|", keys(local.schedules))}\""

  # On metrics of Pub/Sub and Cloud Run: above the threshold for some seconds.
  threshold_alerts = {
    backlog = {
      title     = "Deliveries wait"
      severity  = "CRITICAL"
      filter    = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=one_of(${local.function_names})"
      aligner   = "ALIGN_MAX"
      reducer   = "REDUCE_MAX"
      group_by  = "resource.label.subscription_id"
      threshold = 600
      seconds   = 300
    }
    dead_letters = {
      title     = "Dead letters wait"
      severity  = "WARNING"
      filter    = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${local.dead_letter.subscription}\""
      aligner   = "ALIGN_MAX"
      reducer   = "REDUCE_MAX"
      group_by  = "resource.label.subscription_id"
      threshold = 0
      seconds   = 0
    }
    landing = {
      title     = "Landing waits"
      severity  = "ERROR"
      filter    = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=one_of(${local.landing_names})"
      aligner   = "ALIGN_MAX"
      reducer   = "REDUCE_MAX"
      group_by  = "resource.label.subscription_id"
      threshold = 3600
      seconds   = 600
    }
    refused = {
      title     = "Deliveries are refused"
      severity  = "ERROR"
      filter    = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=one_of(${local.function_names}) AND metric.labels.response_code_class=\"4xx\""
      aligner   = "ALIGN_RATE"
      reducer   = "REDUCE_SUM"
      group_by  = "resource.label.service_name"
      threshold = 0.1
      seconds   = 300
    }
    models = {
      title     = "The models fail"
      severity  = "WARNING"
      filter    = "metric.type=\"run.googleapis.com/job/completed_execution_count\" AND resource.type=\"cloud_run_job\" AND resource.labels.job_name=\"${local.warehouse_job}\" AND metric.labels.result=\"failed\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      group_by  = "resource.label.job_name"
      threshold = 0
      seconds   = 0
    }
    api_failures = {
      title     = "The API fails"
      severity  = "CRITICAL"
      filter    = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=one_of(${local.api_names}) AND metric.labels.response_code_class=\"5xx\""
      aligner   = "ALIGN_RATE"
      reducer   = "REDUCE_SUM"
      group_by  = "resource.label.service_name"
      threshold = 0.1
      seconds   = 300
    }
    api_latency = {
      title     = "The API is slow"
      severity  = "ERROR"
      filter    = "metric.type=\"run.googleapis.com/request_latencies\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=one_of(${local.api_names})"
      aligner   = "ALIGN_PERCENTILE_99"
      reducer   = "REDUCE_MAX"
      group_by  = "resource.label.service_name"
      threshold = 2500
      seconds   = 600
    }
    sync = {
      title     = "The catalog is not synced"
      severity  = "WARNING"
      filter    = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=one_of(${local.sync_names}) AND metric.labels.response_code=one_of(\"422\", \"500\", \"503\", \"504\")"
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      group_by  = "metric.label.response_code"
      threshold = 0
      seconds   = 0
    }
    memory = {
      title     = "Memory runs out"
      severity  = "WARNING"
      filter    = "metric.type=\"run.googleapis.com/container/memory/utilizations\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=one_of(${local.deployed_names})"
      aligner   = "ALIGN_PERCENTILE_99"
      reducer   = "REDUCE_MAX"
      group_by  = "resource.label.service_name"
      threshold = 0.9
      seconds   = 600
    }
  }

  # On metrics of ours, which an apply that makes them cannot name in a threshold.
  query_alerts = {
    api_refusals = {
      title    = "Callers of the API are refused"
      severity = "WARNING"
      query    = "sum by (method, reason) (increase(${local.metric}_calls{${local.from_lines}, outcome=\"refused\"}[10m])) > 100"
      seconds  = 0
    }
    rejected = {
      title    = "Events are rejected"
      severity = "WARNING"
      query    = "sum by (topic, reason) (increase(${local.metric}_events{${local.from_lines}, outcome=\"dead_lettered\"}[10m])) > 10"
      seconds  = 0
    }
    late_answers = {
      title    = "Answers come late"
      severity = "WARNING"
      query    = "histogram_quantile(0.95, sum by (le, topic) (rate(${local.metric}_latency_bucket{${local.from_lines}}[10m]))) > 60000"
      seconds  = 600
    }
    features = {
      title    = "Features cannot be read"
      severity = "WARNING"
      query    = "sum(rate(${local.metric}_events{${local.from_lines}, features_failure!=\"\"}[15m])) / sum(rate(${local.metric}_events{${local.from_lines}, outcome=\"applied\"}[15m])) > 0.05"
      seconds  = 900
    }
    slow_clock = {
      title    = "The clock falls behind"
      severity = "ERROR"
      query = join(" or ", [
        "histogram_quantile(0.5, sum by (le) (rate(${local.metric}_left_bucket{${local.from_lines}}[10m]))) > 1",
        "sum(increase(${local.metric}_events{${local.from_lines}, ${local.of_ticks}, outcome=\"failed\"}[30m])) > 5",
      ])
      seconds = 1800
    }
  }

  # On single lines.
  line_alerts = {
    attempts = {
      title    = "A message is close to the dead letter"
      severity = "ERROR"
      filter   = "${local.event_lines} AND severity>=WARNING AND jsonPayload.delivery_attempt>=${floor(local.last_attempt / 2)}"
      labels   = ["topic", "reason"]
    }
    bug = {
      title    = "A bug stops an event"
      severity = "ERROR"
      filter   = "${local.event_lines} AND severity>=ERROR AND jsonPayload.outcome=\"failed\""
      labels   = ["topic", "reason"]
    }
    call_bug = {
      title    = "A bug stops a call"
      severity = "ERROR"
      filter   = "${local.call_lines} AND severity>=ERROR AND jsonPayload.outcome=\"failed\""
      labels   = ["method", "reason"]
    }
    other_error = {
      title    = "An error outside of events"
      severity = "ERROR"
      filter   = "${local.log_lines} AND severity>=ERROR AND NOT jsonPayload.outcome:*"
      labels   = []
    }
  }

  burn_alerts = {
    answered = { title = "Too many deliveries fail", slo = google_monitoring_slo.answered.name }
    fast     = { title = "Too many deliveries are slow", slo = google_monitoring_slo.fast.name }
  }

  runbook = "Runbook: docs/operations.md#"
}
