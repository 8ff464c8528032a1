# What the pipelines of infra/beam need on Dataflow: an account for the workers, and a bucket for what they read and
# write. Off unless dataflow is true: nothing of it is needed while no pipeline runs, and it costs nothing then.

locals {
  dataflow_days = 7 # the log of all users is in the bucket for a rebuild: no longer than that needs
}

resource "google_project_service" "dataflow" {
  for_each = var.dataflow ? toset(["compute.googleapis.com", "dataflow.googleapis.com"]) : toset([])

  service            = each.key
  disable_on_destroy = false
}

resource "google_service_account" "dataflow" {
  count = var.dataflow ? 1 : 0

  account_id   = "upbeat-dataflow"
  display_name = "Upbeat Dataflow: the workers of pipelines over the raw log"

  depends_on = [google_project_service.api]
}

# They take work from Dataflow, and have the one bucket and the image. They reach no document, topic or table.
resource "google_project_iam_member" "dataflow" {
  count = var.dataflow ? 1 : 0

  project = var.project
  role    = "roles/dataflow.worker"
  member  = google_service_account.dataflow[0].member

  depends_on = [google_project_service.dataflow]
}

resource "google_storage_bucket_iam_member" "dataflow" {
  count = var.dataflow ? 1 : 0

  bucket = google_storage_bucket.dataflow[0].name
  role   = "roles/storage.objectAdmin"
  member = google_service_account.dataflow[0].member
}

resource "google_artifact_registry_repository_iam_member" "dataflow" {
  count = var.dataflow ? 1 : 0

  location   = var.region
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.dataflow[0].member
}

# Exports of the raw tables, results, and what Dataflow itself stages. All of it can be made again.
resource "google_storage_bucket" "dataflow" {
  count = var.dataflow ? 1 : 0

  name                        = "${var.project}-upbeat-dataflow"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  # An object that is deleted is gone: a user who was erased must not stay in one that can be brought back.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = local.dataflow_days
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }

  depends_on = [google_project_service.api]
}
