# Production's second build. Approval belongs to a trigger and holds a whole build, so the first build ends with a plan,
# announces its release, and this trigger makes a build of it that waits until somebody approves it.

locals {
  approved = var.environment == "prod" ? toset(["release"]) : toset([])
  release  = yamldecode(file("${path.module}/../deploy/release.cloudbuild.yaml"))
}

resource "google_pubsub_topic" "releases" {
  for_each = local.approved

  name = "upbeat-releases"

  depends_on = [google_project_service.api]
}

resource "google_cloudbuild_trigger" "release" {
  for_each = local.approved

  name            = "upbeat-release"
  description     = "Applies a release of the first build, once approved."
  service_account = "projects/${var.project}/serviceAccounts/${trimprefix(local.deployer, "serviceAccount:")}"

  pubsub_config {
    topic = google_pubsub_topic.releases[each.key].id
  }

  approval_config {
    approval_required = true
  }

  substitutions = {
    _RELEASE = "$(body.message.data.release)"
    _SHA256  = "$(body.message.data.sha256)"
    _CATALOG = "$(body.message.data.catalog)"
    _AUTHOR  = "$(body.message.data.author)"
  }

  build {
    timeout = local.release.timeout

    options {
      logging = local.release.options.logging
    }

    dynamic "step" {
      for_each = local.release.steps

      content {
        id      = step.value.id
        name    = step.value.name
        timeout = step.value.timeout
        env     = step.value.env
        script  = step.value.script
      }
    }
  }
}
