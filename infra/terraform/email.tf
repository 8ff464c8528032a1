# E-mail for triggers: a consumer of upsell-trigger that sends, and a function that answers the links in the mails. There
# is neither unless `email` is set. Cloud Run checks a caller for a service as a whole, so that what anybody may call is a
# function of its own, without the password of the mail server (ADR 0056).

locals {
  sends_email = var.email != null
  consumers   = { for name, row in local.table.consumers : name => merge(local.table.function_defaults, row) if local.sends_email }
  pages       = { for name, row in local.table.pages : name => merge(local.table.function_defaults, row) if local.sends_email }
  mailing     = { for name, row in merge(local.consumers, local.pages) : name => merge(row, { service = replace(name, "_", "-") }) }

  mailing_publications = merge([
    for name, row in local.mailing : { for topic in row.publishes : "${name}/${topic}" => { function = name, topic = topic } }
  ]...)

  # By function, the secrets it reads: the version that is the latest when Terraform runs.
  email_secrets = local.sends_email ? merge(
    { UPBEAT_MAIL_LINK_KEY = "upbeat-mail-link-key" },
    var.email.user == "" ? {} : { UPBEAT_SMTP_PASSWORD = "upbeat-smtp-password" },
  ) : {}
  secrets_of = {
    for name, row in local.mailing : name => {
      for variable, secret in local.email_secrets : variable => secret if contains(keys(local.consumers), name) || variable == "UPBEAT_MAIL_LINK_KEY"
    }
  }
  secret_grants = merge([
    for name, secrets in local.secrets_of : { for variable, secret in secrets : "${name}/${secret}" => { function = name, secret = secret } }
  ]...)

  smtp_environment = local.sends_email ? merge(
    var.email.user == "" ? {} : { UPBEAT_SMTP_USER = var.email.user },
    {
      UPBEAT_SMTP_HOST     = var.email.host
      UPBEAT_SMTP_PORT     = tostring(var.email.port)
      UPBEAT_SMTP_SECURITY = var.email.security
      UPBEAT_MAIL_FROM     = var.email.sender
    },
  ) : {}
}

data "google_secret_manager_secret_version" "email" {
  for_each = toset(values(local.email_secrets))

  secret            = each.key
  fetch_secret_data = false
}

resource "google_secret_manager_secret_iam_member" "email" {
  for_each = local.secret_grants

  secret_id = data.google_secret_manager_secret_version.email[each.value.secret].secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.email[each.value.function].member
}

resource "google_service_account" "email" {
  for_each = local.mailing

  account_id   = "upbeat-${each.value.service}"
  display_name = "Upbeat function ${each.value.service}"

  depends_on = [google_project_service.api]
}

resource "google_service_account_iam_member" "email_deployer" {
  for_each = local.mailing

  service_account_id = google_service_account.email[each.key].name
  role               = "roles/iam.serviceAccountUser"
  member             = local.deployer
}

# Firestore has no grants for single collections: users' documents are open to both accounts, too.
resource "google_project_iam_member" "email_documents" {
  for_each = local.mailing

  project = var.project
  role    = google_project_iam_custom_role.documents.name
  member  = google_service_account.email[each.key].member

  condition {
    title      = "upbeat-database"
    expression = "resource.name == \"projects/${var.project}/databases/${google_firestore_database.default.name}\""
  }
}

resource "google_pubsub_topic_iam_member" "email" {
  for_each = local.mailing_publications

  topic  = google_pubsub_topic.topic[each.value.topic].name
  role   = "roles/pubsub.publisher"
  member = google_service_account.email[each.value.function].member
}

resource "google_storage_bucket_object" "email" {
  for_each = { for name, row in local.mailing : name => "${var.zips}/${name}.zip" }

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

resource "google_cloudfunctions2_function" "links" {
  for_each = local.pages

  name        = local.mailing[each.key].service
  location    = var.region
  description = "Answers the links in mails, for anybody who has one."

  build_config {
    runtime           = each.value.runtime
    entry_point       = each.key
    service_account   = google_service_account.build.id
    docker_repository = google_artifact_registry_repository.images.id

    environment_variables = {
      SOURCE_DATE_EPOCH = "315532800"
    }

    source {
      storage_source {
        bucket = google_storage_bucket.sources.name
        object = google_storage_bucket_object.email[each.key].name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.email[each.key].email
    ingress_settings                 = "ALLOW_ALL"
    all_traffic_on_latest_revision   = true
    available_cpu                    = tostring(each.value.cpu)
    available_memory                 = "${each.value.memory_mib}Mi"
    timeout_seconds                  = each.value.timeout_seconds
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = each.value.min_instances
    max_instance_count               = each.value.max_instances

    environment_variables = {
      GOOGLE_CLOUD_PROJECT = var.project
      UPBEAT_LOG_LEVEL     = var.log_level
      FUNCTION_USE_ASGI    = "true"
      LOG_EXECUTION_ID     = "false"
    }

    dynamic "secret_environment_variables" {
      for_each = local.secrets_of[each.key]

      content {
        key        = secret_environment_variables.key
        project_id = var.project
        secret     = data.google_secret_manager_secret_version.email[secret_environment_variables.value].secret
        version    = data.google_secret_manager_secret_version.email[secret_environment_variables.value].version
      }
    }
  }

  depends_on = [
    google_project_iam_member.build,
    google_artifact_registry_repository_iam_member.build,
    google_project_iam_member.email_documents,
    google_secret_manager_secret_iam_member.email,
    google_service_account_iam_member.email_deployer,
  ]
}

resource "google_cloud_run_v2_service_iam_member" "links" {
  for_each = local.pages

  location = var.region
  name     = google_cloudfunctions2_function.links[each.key].name
  role     = "roles/run.invoker"
  member   = "allUsers" # a link that is not signed does nothing

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.links[each.key].id]
  }
}

resource "google_cloudfunctions2_function" "consumer" {
  for_each = local.consumers

  name        = local.mailing[each.key].service
  location    = var.region
  description = "Consumes ${each.value.listens}."

  build_config {
    runtime           = each.value.runtime
    entry_point       = each.key
    service_account   = google_service_account.build.id
    docker_repository = google_artifact_registry_repository.images.id

    environment_variables = {
      SOURCE_DATE_EPOCH = "315532800"
    }

    source {
      storage_source {
        bucket = google_storage_bucket.sources.name
        object = google_storage_bucket_object.email[each.key].name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.email[each.key].email
    ingress_settings                 = "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision   = true
    available_cpu                    = tostring(each.value.cpu)
    available_memory                 = "${each.value.memory_mib}Mi"
    timeout_seconds                  = each.value.timeout_seconds
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = each.value.min_instances
    max_instance_count               = each.value.max_instances

    environment_variables = merge(local.smtp_environment, {
      GOOGLE_CLOUD_PROJECT = var.project
      UPBEAT_LOG_LEVEL     = var.log_level
      UPBEAT_MAIL_LINKS    = google_cloudfunctions2_function.links["email_links"].service_config[0].uri
      FUNCTION_USE_ASGI    = "true"
      LOG_EXECUTION_ID     = "false"
    })

    dynamic "secret_environment_variables" {
      for_each = local.secrets_of[each.key]

      content {
        key        = secret_environment_variables.key
        project_id = var.project
        secret     = data.google_secret_manager_secret_version.email[secret_environment_variables.value].secret
        version    = data.google_secret_manager_secret_version.email[secret_environment_variables.value].version
      }
    }
  }

  depends_on = [
    google_project_iam_member.build,
    google_artifact_registry_repository_iam_member.build,
    google_project_iam_member.email_documents,
    google_secret_manager_secret_iam_member.email,
    google_service_account_iam_member.email_deployer,
  ]
}

resource "google_cloud_run_v2_service_iam_member" "consumer_push" {
  for_each = local.consumers

  location = var.region
  name     = google_cloudfunctions2_function.consumer[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.push.member

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.consumer[each.key].id]
  }
}

# A filter cannot be changed: another one makes another subscription. No prevent_destroy: e-mail can be switched off.
resource "google_pubsub_subscription" "consumer" {
  for_each = local.consumers

  name                       = local.mailing[each.key].service
  topic                      = google_pubsub_topic.topic[each.value.listens].id
  filter                     = each.value.filter
  ack_deadline_seconds       = each.value.ack_deadline_seconds
  message_retention_duration = "${local.topics[each.value.listens].retention_days * local.day}s"

  push_config {
    push_endpoint = "${google_cloudfunctions2_function.consumer[each.key].service_config[0].uri}/${each.value.listens}"

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloudfunctions2_function.consumer[each.key].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "${each.value.min_backoff_seconds}s"
    maximum_backoff = "${each.value.max_backoff_seconds}s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.topic[local.dead_letter.topic].id
    max_delivery_attempts = each.value.max_delivery_attempts
  }

  expiration_policy {
    ttl = ""
  }

  depends_on = [
    google_cloud_run_v2_service_iam_member.consumer_push,
    google_pubsub_topic_iam_member.dead_letter_agent,
  ]
}

resource "google_pubsub_subscription_iam_member" "consumer_agent" {
  for_each = local.consumers

  subscription = google_pubsub_subscription.consumer[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
