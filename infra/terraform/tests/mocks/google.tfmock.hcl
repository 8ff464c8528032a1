# Values that a real provider computes, in the form that other arguments expect of them.

mock_data "google_project" {
  defaults = {
    number = "123456789012"
  }
}

mock_data "google_secret_manager_secret_version" {
  defaults = {
    version = "1"
  }
}

mock_resource "google_service_account" {
  defaults = {
    id     = "projects/upbeat-test/serviceAccounts/mock@upbeat-test.iam.gserviceaccount.com"
    name   = "projects/upbeat-test/serviceAccounts/mock@upbeat-test.iam.gserviceaccount.com"
    email  = "mock@upbeat-test.iam.gserviceaccount.com"
    member = "serviceAccount:mock@upbeat-test.iam.gserviceaccount.com"
  }
}

mock_resource "google_project_iam_custom_role" {
  defaults = {
    name = "projects/upbeat-test/roles/upbeatDocuments"
  }
}

mock_resource "google_pubsub_topic" {
  defaults = {
    id = "projects/upbeat-test/topics/mock"
  }
}

mock_resource "google_artifact_registry_repository" {
  defaults = {
    id = "projects/upbeat-test/locations/europe-west1/repositories/mock"
  }
}

mock_resource "google_cloudfunctions2_function" {
  defaults = {
    id = "projects/upbeat-test/locations/europe-west1/functions/mock"
    service_config = {
      uri = "https://mock-ew.a.run.app"
    }
  }
}

mock_resource "google_monitoring_slo" {
  defaults = {
    name = "projects/123456789012/services/upbeat/serviceLevelObjectives/stub-000000000000"
  }
}

mock_resource "google_monitoring_notification_channel" {
  defaults = {
    id = "projects/upbeat-test/notificationChannels/1"
  }
}
