# Bigtable, from which functions read what analysts computed of users. Off unless features_nodes is set: a node costs
# money all the time. Nothing in it is protected, because an export with --all makes it again.

locals {
  reads_features   = var.features_nodes > 0
  features_cluster = "features"
  features_table   = "user_features"
  families         = local.reads_features ? toset(["features", "export"]) : toset([]) # values, and marks of the export

  # What functions read in shared/settings.py: those that decide.
  features_environment = local.reads_features ? {
    UPBEAT_FEATURES_TABLE        = "projects/${var.project}/instances/${google_bigtable_instance.features[0].name}/tables/${google_bigtable_table.features[0].name}"
    UPBEAT_FEATURES_MILLISECONDS = "20"
  } : {}
  deciding = {
    for name, row in local.running : name => row
    if local.reads_features && contains(row.publishes, "decision")
  }
}

resource "google_project_service" "features" {
  for_each = local.reads_features ? toset(["bigtable.googleapis.com", "bigtableadmin.googleapis.com"]) : toset([])

  service            = each.key
  disable_on_destroy = false
}

resource "google_bigtable_instance" "features" {
  count = local.reads_features ? 1 : 0

  name                = "upbeat"
  display_name        = "Upbeat"
  deletion_protection = false

  # Near the functions: 20 ms leave no time for a way to another region.
  cluster {
    cluster_id   = local.features_cluster
    zone         = "${var.region}-b"
    num_nodes    = var.features_nodes
    storage_type = "SSD"
  }

  depends_on = [google_project_service.features]
}

resource "google_bigtable_table" "features" {
  count = local.reads_features ? 1 : 0

  name          = local.features_table
  instance_name = google_bigtable_instance.features[0].name

  dynamic "column_family" {
    for_each = local.families

    content {
      family = column_family.key
    }
  }
}

resource "google_bigtable_gc_policy" "features" {
  for_each = local.families

  instance_name = google_bigtable_instance.features[0].name
  table         = google_bigtable_table.features[0].name
  column_family = each.key

  # No catalog lets a feature live longer than a year.
  gc_rules = jsonencode({
    mode  = "union"
    rules = [{ max_version = 1 }, { max_age = "${400 * 24}h" }]
  })
}

# What EXPORT DATA of BigQuery asks for: one cluster, and reads of functions go first.
resource "google_bigtable_app_profile" "export" {
  count = local.reads_features ? 1 : 0

  instance        = google_bigtable_instance.features[0].name
  app_profile_id  = "export"
  description     = "Writes of the export, behind the functions' reads."
  ignore_warnings = true

  single_cluster_routing {
    cluster_id                 = local.features_cluster
    allow_transactional_writes = false
  }

  standard_isolation {
    priority = "PRIORITY_LOW"
  }
}

resource "google_project_iam_custom_role" "features" {
  count = local.reads_features ? 1 : 0

  role_id     = "upbeatFeatures"
  title       = "Upbeat features"
  description = "Reads rows of a table."
  permissions = ["bigtable.tables.readRows"]

  depends_on = [google_project_service.features]
}

resource "google_bigtable_table_iam_member" "reader" {
  for_each = local.deciding

  instance_name = google_bigtable_instance.features[0].name
  table         = google_bigtable_table.features[0].name
  role          = google_project_iam_custom_role.features[0].name
  member        = google_service_account.function[each.key].member
}

# Who exports: `upbeat features export --warehouse bigquery:PROJECT.upbeat_models` as this account.
resource "google_service_account" "export" {
  count = local.reads_features ? 1 : 0

  account_id   = "upbeat-features"
  display_name = "Upbeat features: exports them from the warehouse"

  depends_on = [google_project_service.api]
}

resource "google_bigtable_table_iam_member" "export" {
  count = local.reads_features ? 1 : 0

  instance_name = google_bigtable_instance.features[0].name
  table         = google_bigtable_table.features[0].name
  role          = "roles/bigtable.user"
  member        = google_service_account.export[0].member
}

resource "google_bigquery_dataset_iam_member" "export" {
  count = local.reads_features ? 1 : 0

  dataset_id = google_bigquery_dataset.models.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.export[0].member
}

resource "google_project_iam_member" "export" {
  count = local.reads_features ? 1 : 0

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.export[0].member
}
