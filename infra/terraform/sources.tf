# A source's name has its content's hash, so exactly the functions whose zip has changed are built and deployed.

locals {
  zips = { for name in keys(local.deployed) : name => "${var.zips}/${name}.zip" }
}

resource "google_storage_bucket" "sources" {
  name                        = "${var.project}-upbeat-sources"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # A deploy deletes the source that it replaces: versions keep it for a rollback.
  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 90
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_object" "source" {
  for_each = local.zips

  bucket = google_storage_bucket.sources.name
  name   = fileexists(each.value) ? "${each.key}-${filesha256(each.value)}.zip" : "${each.key}.zip"
  source = each.value

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = fileexists(each.value)
      error_message = "zips: expected ${each.value}, found no such file. Build the zips first: make zips."
    }
  }
}

resource "google_artifact_registry_repository" "images" {
  repository_id = "upbeat-functions"
  location      = var.region
  format        = "DOCKER"
  description   = "The functions' images, as Cloud Build makes them."

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"

    most_recent_versions {
      keep_count = 10
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      older_than = "${90 * local.day}s"
    }
  }

  depends_on = [google_project_service.api]
}
