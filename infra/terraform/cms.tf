# The sync of the catalog from a CMS, where one is named: a space in Contentful, or a Wagtail site. A CMS has no identity
# of Google's, so anybody may call the function: it checks the signature of each request before it reads anything. The
# secrets are made by hand (docs/operations.md), so that they are in no state.

locals {
  cms_settings = {
    contentful = {
      UPBEAT_CONTENTFUL_SPACE       = var.contentful_space
      UPBEAT_CONTENTFUL_ENVIRONMENT = var.contentful_environment
      UPBEAT_CONTENTFUL_LOCALE      = var.contentful_locale
    }
    wagtail = {
      UPBEAT_WAGTAIL_URL = var.wagtail_url
    }
  }
  cms = var.contentful_space != "" ? "contentful" : var.wagtail_url != "" ? "wagtail" : ""

  # Two persons must agree on a catalog: the function reads it, and the document tells it to the command line.
  needs_approval = var.environment == "prod"

  cms_environment = local.cms == "" ? {} : merge(local.cms_settings[local.cms], {
    UPBEAT_CMS              = local.cms
    UPBEAT_CATALOG_APPROVAL = tostring(local.needs_approval)
  })

  # By variable of the environment, the secret with its value.
  cms_secrets = local.cms == "" ? {} : {
    for name in ["secret", "token"] : "UPBEAT_${upper(local.cms)}_${upper(name)}" => "upbeat-${local.cms}-${name}"
  }
}

data "google_secret_manager_secret_version" "cms" {
  for_each = local.cms_secrets

  secret            = each.value
  fetch_secret_data = false
}

resource "google_secret_manager_secret_iam_member" "cms" {
  for_each = local.cms_secrets

  secret_id = data.google_secret_manager_secret_version.cms[each.key].secret
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

resource "google_firestore_document" "catalog_settings" {
  database    = google_firestore_database.default.name
  collection  = "settings"
  document_id = "catalog"
  fields      = jsonencode({ needs_approval = { booleanValue = local.needs_approval } })
}

# Webhooks are remembered for ten minutes, so that a replay is refused; Firestore may keep them a day longer.
resource "google_firestore_field" "webhooks" {
  database   = google_firestore_database.default.name
  collection = "webhooks"
  field      = "expires_at"

  index_config {}
  ttl_config {}
}
