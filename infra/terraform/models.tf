# The models of the warehouse (docs/warehouse.md): their dataset, and the job that builds and checks them. There is no
# job unless warehouse_image is set: the first plan of a project is made before there is any image.

locals {
  has_job       = var.warehouse_image != ""
  warehouse_job = "warehouse"
  models        = "--warehouse 'bigquery:${var.project}.${google_bigquery_dataset.models.dataset_id}?raw=${google_bigquery_dataset.warehouse.dataset_id}'"

  # The first that fails ends the job, which then has failed: no experiment is stopped for what models say that fail.
  # What is checked is what a late message may have changed.
  job_steps = [
    "upbeat warehouse run ${local.models}",
    "upbeat warehouse check ${local.models} --days ${local.landing_days}",
    "upbeat experiment guard ${local.models} --project '${var.project}'",
  ]
}

resource "google_bigquery_dataset" "models" {
  dataset_id  = "upbeat_models"
  location    = var.bigquery_location
  description = "What upbeat warehouse run makes of the raw tables."

  depends_on = [google_project_service.api]
}

resource "google_service_account" "warehouse" {
  count = local.has_job ? 1 : 0

  account_id   = "upbeat-warehouse"
  display_name = "Upbeat warehouse: builds and checks the models, and stops experiments that do harm"

  depends_on = [google_project_service.api]
}

resource "google_service_account_iam_member" "warehouse_deployer" {
  count = local.has_job ? 1 : 0

  service_account_id = google_service_account.warehouse[0].name
  role               = "roles/iam.serviceAccountUser"
  member             = local.deployer
}

# It reads what landed, and writes nothing but models.
resource "google_bigquery_dataset_iam_member" "warehouse" {
  for_each = local.has_job ? {
    (google_bigquery_dataset.warehouse.dataset_id) = "roles/bigquery.dataViewer"
    (google_bigquery_dataset.models.dataset_id)    = "roles/bigquery.dataEditor"
  } : {}

  dataset_id = each.key
  role       = each.value
  member     = google_service_account.warehouse[0].member
}

resource "google_project_iam_member" "warehouse_queries" {
  count = local.has_job ? 1 : 0

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.warehouse[0].member
}

# The guard publishes a catalog. Firestore has no grants for single collections: users' documents are open to it too.
resource "google_project_iam_member" "warehouse_documents" {
  count = local.has_job ? 1 : 0

  project = var.project
  role    = google_project_iam_custom_role.documents.name
  member  = google_service_account.warehouse[0].member

  condition {
    title      = "upbeat-database"
    expression = "resource.name == \"projects/${var.project}/databases/${google_firestore_database.default.name}\""
  }
}

resource "google_pubsub_topic_iam_member" "warehouse" {
  count = local.has_job ? 1 : 0

  topic  = google_pubsub_topic.topic["catalog-published"].name
  role   = "roles/pubsub.publisher"
  member = google_service_account.warehouse[0].member
}

resource "google_cloud_run_v2_job" "warehouse" {
  count = local.has_job ? 1 : 0

  name                = local.warehouse_job
  location            = var.region
  deletion_protection = false # it keeps nothing

  template {
    template {
      service_account = google_service_account.warehouse[0].email
      timeout         = "3600s" # a run that is started every hour has no other beside it
      max_retries     = 0       # what does not hold does not hold a minute later; the next run goes on from there

      containers {
        image   = var.warehouse_image
        command = ["sh", "-euc"]
        args    = [join("\n", local.job_steps)]

        resources {
          limits = {
            cpu    = "1"
            memory = "2Gi"
          }
        }
      }
    }
  }

  depends_on = [
    google_bigquery_dataset_iam_member.warehouse,
    google_project_iam_member.warehouse_documents,
    google_project_iam_member.warehouse_queries,
    google_pubsub_topic_iam_member.warehouse,
    google_service_account_iam_member.warehouse_deployer,
  ]
}

resource "google_cloud_run_v2_job_iam_member" "warehouse" {
  count = local.has_job ? 1 : 0

  location = var.region
  name     = google_cloud_run_v2_job.warehouse[0].name
  role     = "roles/run.invoker"
  member   = google_service_account.warehouse[0].member
}

resource "google_cloud_scheduler_job" "warehouse" {
  count = local.has_job ? 1 : 0

  name        = local.warehouse_job
  description = "Starts the job that builds and checks the models, as the job's own account."
  region      = var.scheduler_region
  schedule    = var.warehouse_schedule
  time_zone   = "Etc/UTC"

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/projects/${var.project}/locations/${var.region}/jobs/${google_cloud_run_v2_job.warehouse[0].name}:run"

    oauth_token {
      service_account_email = google_service_account.warehouse[0].email
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.warehouse]
}
