# The API over gRPC: Cloud Run services that run one image (docs/operations.md says how to build it), one with every
# method, and one for readers. There is none unless decisions_grpc_image is set: a first plan is made before any image.

locals {
  has_grpc = var.decisions_grpc_image != ""

  grpc_services = {
    for name, row in local.table.grpc_services : name => merge(local.table.service_defaults, row, {
      service       = replace(name, "_", "-")
      reads_only    = length(lookup(row, "publishes", local.table.service_defaults.publishes)) == 0
      min_instances = lookup(var.min_instances, name, merge(local.table.service_defaults, row).min_instances)
    }) if local.has_grpc
  }

  grpc_invokers = merge([
    for name, service in local.grpc_services : {
      for member in toset(flatten([for list in service.invoked_by : local.callers[list]])) : "${name}/${member}" => { service = name, member = member }
    }
  ]...)

  # By service, what it reads in shared/settings.py, but for the secret.
  grpc_environment = {
    for name, service in local.grpc_services : name => merge(
      var.otlp_endpoint == "" ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = var.otlp_endpoint },
      contains(keys(local.deciding), name) ? local.features_environment : {},
      local.api_environment,
      {
        GOOGLE_CLOUD_PROJECT  = var.project
        UPBEAT_LOG_LEVEL      = var.log_level
        UPBEAT_API_ONLY_READS = tostring(service.reads_only)
        UPBEAT_RECORD_FORMAT  = tostring(local.table.record_format) # for rollbacks, which read it of each revision
      },
    )
  }
}

resource "google_cloud_run_v2_service" "grpc" {
  for_each = local.grpc_services

  name                = each.value.service
  location            = var.region
  description         = "Answers the programs that call the API over gRPC."
  deletion_protection = false                 # it keeps nothing
  ingress             = "INGRESS_TRAFFIC_ALL" # IAM guards the API

  template {
    service_account                  = google_service_account.function[each.key].email
    timeout                          = "${each.value.timeout_seconds}s"
    max_instance_request_concurrency = each.value.concurrency

    scaling {
      min_instance_count = each.value.min_instances
      max_instance_count = each.value.max_instances
    }

    containers {
      image = var.decisions_grpc_image

      # HTTP/2 up to the container, without TLS in the last step: gRPC needs it.
      ports {
        name           = "h2c"
        container_port = 8080
      }

      resources {
        limits = {
          cpu    = tostring(each.value.cpu)
          memory = "${each.value.memory_mib}Mi"
        }
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 1
        failure_threshold = 60

        grpc {
          service = "upbeat.v1.DecisionsService"
        }
      }

      dynamic "env" {
        for_each = local.grpc_environment[each.key]

        content {
          name  = env.key
          value = env.value
        }
      }

      env {
        name = "UPBEAT_USER_HASH_KEY"

        value_source {
          secret_key_ref {
            secret  = data.google_secret_manager_secret_version.user_hash_key.secret
            version = data.google_secret_manager_secret_version.user_hash_key.version
          }
        }
      }
    }
  }

  traffic {
    type    = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
    percent = 100
  }

  lifecycle {
    precondition {
      condition     = each.value.min_instances <= each.value.max_instances
      error_message = "${each.key}: expected min_instances of at most the max_instances of ${each.value.max_instances}, found ${each.value.min_instances}."
    }
  }

  depends_on = [
    google_project_iam_member.documents,
    google_project_iam_member.documents_read,
    google_secret_manager_secret_iam_member.user_hash_key,
    google_service_account_iam_member.deployer,
  ]
}

resource "google_cloud_run_v2_service_iam_member" "grpc_caller" {
  for_each = local.grpc_invokers

  location = var.region
  name     = google_cloud_run_v2_service.grpc[each.value.service].name
  role     = "roles/run.invoker"
  member   = each.value.member
}
