# Each identity has what its row of the table implies and nothing else; only members, never whole policies.

locals {
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  deployer     = "serviceAccount:upbeat-deployer@${var.project}.iam.gserviceaccount.com" # the bootstrap makes it
}

resource "google_service_account" "function" {
  for_each = local.running

  account_id   = "upbeat-${each.value.service}"
  display_name = "Upbeat function ${each.value.service}"

  depends_on = [google_project_service.api]
}

resource "google_service_account" "push" {
  account_id   = "upbeat-push"
  display_name = "Upbeat push: Pub/Sub calls the functions as this account"

  depends_on = [google_project_service.api]
}

resource "google_service_account" "build" {
  account_id   = "upbeat-build"
  display_name = "Upbeat build: builds the functions' images"

  depends_on = [google_project_service.api]
}

# What a function publishes.
resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = local.publications

  topic  = google_pubsub_topic.topic[each.value.topic].name
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.value.function].member
}

# What a function reads and writes.
resource "google_project_iam_custom_role" "documents" {
  role_id     = "upbeatDocuments"
  title       = "Upbeat documents"
  description = "Reads and writes documents, and deletes none."

  permissions = [
    "datastore.databases.get",
    "datastore.entities.create",
    "datastore.entities.get",
    "datastore.entities.list",
    "datastore.entities.update",
  ]

  depends_on = [google_project_service.api]
}

resource "google_project_iam_member" "documents" {
  for_each = { for name, row in local.running : name => row if !row.reads_only }

  project = var.project
  role    = google_project_iam_custom_role.documents.name
  member  = google_service_account.function[each.key].member

  condition {
    title      = "upbeat-database"
    expression = "resource.name == \"projects/${var.project}/databases/${google_firestore_database.default.name}\""
  }
}

# Who calls a function. A replaced function loses its grants without Terraform seeing it.
resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.functions

  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.push.member

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.function[each.key].id]
  }
}

# What a build needs. Cloud Functions copies the source into a bucket of its own before it builds.
resource "google_project_iam_member" "build" {
  for_each = {
    "roles/logging.logWriter" = null
    "roles/storage.objectViewer" = join(" || ", [
      "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.sources.name}/\")",
      "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-${var.region}/\")",
    ])
  }

  project = var.project
  role    = each.key
  member  = google_service_account.build.member

  dynamic "condition" {
    for_each = each.value == null ? [] : [each.value]

    content {
      title      = "upbeat-sources"
      expression = condition.value
    }
  }
}

resource "google_artifact_registry_repository_iam_member" "build" {
  location   = var.region
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

# Who may deploy with these accounts.
resource "google_service_account_iam_member" "deployer" {
  for_each = merge(
    { for name, account in google_service_account.function : name => account.name },
    { push = google_service_account.push.name, build = google_service_account.build.name },
  )

  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = local.deployer
}
