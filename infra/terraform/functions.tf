# No event trigger: the subscription that one makes has a dead letter, a deadline and retries that Terraform cannot set.

locals {
  # Tokens are checked against this address, without a path.
  addresses = { for name, function in google_cloudfunctions2_function.function : name => function.service_config[0].uri }
}

# Any change of a function builds its image again: https://github.com/hashicorp/terraform-provider-google/issues/23781
resource "google_cloudfunctions2_function" "function" {
  for_each = local.deployed

  name        = each.value.service
  location    = var.region
  description = each.value.description

  build_config {
    runtime           = each.value.runtime
    entry_point       = each.key
    service_account   = google_service_account.build.id
    docker_repository = google_artifact_registry_repository.images.id

    # The buildpack then compiles modules so that they are valid whatever time their files have.
    environment_variables = {
      SOURCE_DATE_EPOCH = "315532800"
    }

    source {
      storage_source {
        bucket = google_storage_bucket.sources.name
        object = google_storage_bucket_object.source[each.key].name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.function[each.key].email
    ingress_settings                 = each.value.ingress
    all_traffic_on_latest_revision   = true
    available_cpu                    = tostring(each.value.cpu)
    available_memory                 = "${each.value.memory_mib}Mi"
    timeout_seconds                  = each.value.timeout_seconds
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = each.value.min_instances
    max_instance_count               = each.value.max_instances

    environment_variables = merge(var.otlp_endpoint == "" ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = var.otlp_endpoint }, contains(keys(local.deciding), each.key) ? local.features_environment : {}, each.value.environment, {
      GOOGLE_CLOUD_PROJECT = var.project
      UPBEAT_LOG_LEVEL     = var.log_level
      FUNCTION_USE_ASGI    = "true"
      LOG_EXECUTION_ID     = "false"                             # true lets the framework replace the functions' loggers
      UPBEAT_RECORD_FORMAT = tostring(local.table.record_format) # for rollbacks, which read it of each revision
    })

    secret_environment_variables {
      key        = "UPBEAT_USER_HASH_KEY"
      project_id = var.project
      secret     = data.google_secret_manager_secret_version.user_hash_key.secret
      version    = data.google_secret_manager_secret_version.user_hash_key.version
    }

    dynamic "secret_environment_variables" {
      for_each = contains(keys(local.webhooks), each.key) ? data.google_secret_manager_secret_version.cms : {}

      content {
        key        = secret_environment_variables.key
        project_id = var.project
        secret     = secret_environment_variables.value.secret
        version    = secret_environment_variables.value.version
      }
    }
  }

  lifecycle {
    precondition {
      condition     = each.value.min_instances <= each.value.max_instances
      error_message = "${each.key}: expected min_instances of at most the max_instances of ${each.value.max_instances}, found ${each.value.min_instances}."
    }
  }

  depends_on = [
    google_project_iam_member.build,
    google_artifact_registry_repository_iam_member.build,
    google_project_iam_member.documents,
    google_project_iam_member.documents_read,
    google_secret_manager_secret_iam_member.user_hash_key,
    google_secret_manager_secret_iam_member.cms,
    google_service_account_iam_member.deployer,
  ]
}
