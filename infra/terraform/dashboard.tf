locals {
  charts = [
    { title = "Deliveries a second, by outcome", query = "sum by (outcome) (rate(${local.metric}_events{${local.from_lines}}[5m]))" },
    { title = "Rejected and failed, by topic and reason", query = "sum by (topic, outcome, reason) (rate(${local.metric}_events{${local.from_lines}, outcome=~\"dead_lettered|failed\"}[5m]))" },
    { title = "Publication to answer, 95th percentile in ms", query = "histogram_quantile(0.95, sum by (le, topic) (rate(${local.metric}_latency_bucket{${local.from_lines}}[5m])))" },
    { title = "Request to answer, 95th percentile in ms", query = "histogram_quantile(0.95, sum by (le, topic) (rate(${local.metric}_duration_bucket{${local.from_lines}}[5m])))" },
    { title = "Cold starts a minute, by topic", query = "60 * sum by (topic) (rate(${local.metric}_events{${local.from_lines}, cold_start=\"true\"}[5m]))" },
    { title = "Users due, a minute", query = "60 * sum(rate(${local.metric}_due_users_sum{${local.from_lines}}[5m]))" },
    { title = "Verdicts without a payment, a minute", query = "60 * sum(rate(${local.metric}_unmatched_count{${local.from_lines}}[5m]))" },
    { title = "Events without features, a minute, by reason", query = "60 * sum by (features_failure) (rate(${local.metric}_events{${local.from_lines}, features_failure!=\"\"}[5m]))" },
    { title = "Calls of the API a second, by method and outcome", query = "sum by (method, outcome) (rate(${local.metric}_calls{${local.from_lines}}[5m]))" },
    { title = "Call to answer, 99th percentile in ms", query = "histogram_quantile(0.99, sum by (le, method) (rate(${local.metric}_call_time_bucket{${local.from_lines}}[5m])))" },
    { title = "Age of the oldest message, in seconds", query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\"})" },
    { title = "Instances", query = "sum by (service_name) (run_googleapis_com:container_instance_count{${local.from_lines}})" },
  ]
}

resource "google_monitoring_dashboard" "upbeat" {
  dashboard_json = jsonencode({
    displayName = "Upbeat"
    mosaicLayout = {
      columns = 12
      tiles = [for place, chart in local.charts : {
        xPos   = 6 * (place % 2)
        yPos   = 4 * floor(place / 2)
        width  = 6
        height = 4
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [{ plotType = "LINE", timeSeriesQuery = { prometheusQuery = chart.query } }]
          }
        }
      }]
    }
  })

  depends_on = [google_project_service.api]
}
