# Who may call the API. Cloud Run checks a caller's role for a service as a whole, so the methods that only read have a
# service of their own, whose account cannot write.

locals {
  # Members that IAM can name one by one: never everybody.
  member_form = "^(serviceAccount|user|group):[^@:\\s]+@[^@:\\s]+$"
  callers     = { readers = var.api_readers, deciders = var.api_deciders }

  # One entry for each caller of a service.
  invokers = merge([
    for name, service in local.services : {
      for member in toset(flatten([for list in service.invoked_by : local.callers[list]])) : "${name}/${member}" => { service = name, member = member }
    }
  ]...)

  # What services read in shared/settings.py.
  api_environment = length(var.api_placements) == 0 ? {} : { UPBEAT_API_PLACEMENTS = jsonencode(var.api_placements) }
}

resource "google_cloud_run_v2_service_iam_member" "caller" {
  for_each = local.invokers

  location = var.region
  name     = google_cloudfunctions2_function.function[each.value.service].name
  role     = "roles/run.invoker"
  member   = each.value.member

  lifecycle {
    replace_triggered_by = [terraform_data.caller[each.key]]
  }
}

# A replaced function loses its grants without Terraform seeing it, and a trigger can be named by `each.key` alone.
resource "terraform_data" "caller" {
  for_each = local.invokers

  triggers_replace = google_cloudfunctions2_function.function[each.value.service].id
}

resource "google_project_iam_custom_role" "documents_read" {
  role_id     = "upbeatDocumentsRead"
  title       = "Upbeat documents, read"
  description = "Reads documents, and writes and deletes none."

  permissions = [
    "datastore.databases.get",
    "datastore.entities.get",
  ]

  depends_on = [google_project_service.api]
}

resource "google_project_iam_member" "documents_read" {
  for_each = { for name, row in local.running : name => row if row.reads_only }

  project = var.project
  role    = google_project_iam_custom_role.documents_read.name
  member  = google_service_account.function[each.key].member

  condition {
    title      = "upbeat-database"
    expression = "resource.name == \"projects/${var.project}/databases/${google_firestore_database.default.name}\""
  }
}
