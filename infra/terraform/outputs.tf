output "functions" {
  description = "The address of each function."
  value       = local.addresses
}

output "grpc_services" {
  description = "The address of each service over gRPC."
  value       = { for name, service in google_cloud_run_v2_service.grpc : name => service.uri }
}

output "topics" {
  description = "The full name of each topic; producers publish to those that a function listens to."
  value       = { for name, topic in google_pubsub_topic.topic : name => topic.id }
}

output "warehouse" {
  description = "The dataset of the models; the raw tables are in upbeat."
  value       = google_bigquery_dataset.models.id
}

output "email_links" {
  description = "The address with which the links in mails begin; null without e-mail."
  value       = one([for links in google_cloudfunctions2_function.links : links.service_config[0].uri])
}
