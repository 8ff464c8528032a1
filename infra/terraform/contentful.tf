# The sync of the catalog from Contentful, where a space is named. Contentful has no identity of Google's, so anybody may
# call the function: it checks the signature of each request before it reads anything. Both secrets are made by hand
# (docs/operations.md), so that they are in no state.

locals {
  contentful_secrets = var.contentful_space == "" ? {} : {
    UPBEAT_CONTENTFUL_SECRET = "upbeat-contentful-secret"
    UPBEAT_CONTENTFUL_TOKEN  = "upbeat-contentful-token"
  }

  contentful_environment = {
    UPBEAT_CONTENTFUL_SPACE       = var.contentful_space
    UPBEAT_CONTENTFUL_ENVIRONMENT = var.contentful_environment
    UPBEAT_CONTENTFUL_LOCALE      = var.contentful_locale
    UPBEAT_CATALOG_APPROVAL       = tostring(var.environment == "prod")
  }
}

data "google_secret_manager_secret_version" "contentful" {
  for_each = local.contentful_secrets

  secret            = each.value
  fetch_secret_data = false
}

resource "google_secret_manager_secret_iam_member" "contentful" {
  for_each = local.contentful_secrets

  secret_id = data.google_secret_manager_secret_version.contentful[each.key].secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function["catalog_sync"].member
}

resource "google_cloud_run_v2_service_iam_member" "webhook" {
  for_each = local.webhooks

  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = "allUsers"

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.function[each.key].id]
  }
}

# Webhooks are remembered for ten minutes, so that a replay is refused; Firestore may keep them a day longer.
resource "google_firestore_field" "webhooks" {
  database   = google_firestore_database.default.name
  collection = "webhooks"
  field      = "expires_at"

  index_config {}
  ttl_config {}
}
