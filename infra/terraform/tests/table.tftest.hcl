# The table becomes resources: one row, one function, with its own push, its own account and its own source.

mock_provider "google" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  project      = "upbeat-test"
  environment  = "prod"
  alert_emails = ["oncall@example.com"]
}

run "each_row_is_a_function" {
  command = plan

  assert {
    condition     = toset(keys(google_cloudfunctions2_function.function)) == toset(concat(keys(yamldecode(file("../topology.yaml")).functions), keys(yamldecode(file("../topology.yaml")).services)))
    error_message = "Expected one function for each function and service of the table."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["trial_start"].name == "trial-start"
    error_message = "Expected dashes in the name of a service, which allows no underscore."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["trial_start"].build_config[0].entry_point == "trial_start"
    error_message = "Expected underscores in the entry point, which is a name in main.py."
  }
  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.function : length(function.event_trigger) == 0])
    error_message = "Expected no event trigger: its subscription cannot be configured."
  }

  assert {
    condition     = google_pubsub_subscription.push["payment"].push_config[0].push_endpoint == "https://mock-ew.a.run.app/payment"
    error_message = "Expected the topic as the path of the push."
  }
  assert {
    condition     = google_pubsub_subscription.push["payment"].push_config[0].oidc_token[0].audience == "https://mock-ew.a.run.app"
    error_message = "Expected the bare address as the token's audience."
  }

  assert {
    condition     = length(google_billing_budget.monthly) == 0
    error_message = "Expected no budget without a billing account."
  }
  assert {
    condition     = length(google_bigtable_instance.features) + length(google_bigtable_table_iam_member.reader) == 0
    error_message = "Expected no Bigtable, which costs money all the time, unless it is asked for."
  }
  assert {
    condition     = length(google_storage_bucket.dataflow) + length(google_service_account.dataflow) == 0
    error_message = "Expected nothing of Dataflow unless it is asked for."
  }
}

run "an_environment_overrides_the_table_and_has_a_budget" {
  command = plan

  variables {
    min_instances   = { payment = 3 }
    billing_account = "012345-6789AB-CDEF01"
    monthly_budget  = 250
  }

  assert {
    condition     = google_cloudfunctions2_function.function["payment"].service_config[0].min_instance_count == 3
    error_message = "Expected the number of the environment."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["trial_start"].service_config[0].min_instance_count == 0
    error_message = "Expected the number of the table."
  }
  assert {
    condition     = google_billing_budget.monthly[0].amount[0].specified_amount[0].units == "250"
    error_message = "Expected the budget of the variable."
  }
}

run "nobody_may_call_the_api_unless_named" {
  command = plan

  assert {
    condition     = length(google_cloud_run_v2_service_iam_member.caller) == 0
    error_message = "Expected no caller."
  }
  assert {
    condition     = !contains(keys(google_cloudfunctions2_function.function["decisions"].service_config[0].environment_variables), "UPBEAT_API_PLACEMENTS")
    error_message = "Expected no list of placements."
  }
}

run "readers_read_and_deciders_do_everything" {
  command = plan

  variables {
    api_readers    = ["group:support@example.com"]
    api_deciders   = ["serviceAccount:app@upbeat-test.iam.gserviceaccount.com"]
    api_placements = { "app@upbeat-test.iam.gserviceaccount.com" = ["home"] }
  }

  assert {
    condition = toset(keys(google_cloud_run_v2_service_iam_member.caller)) == toset([
      "decisions/serviceAccount:app@upbeat-test.iam.gserviceaccount.com",
      "decisions_read/serviceAccount:app@upbeat-test.iam.gserviceaccount.com",
      "decisions_read/group:support@example.com",
    ])
    error_message = "Expected readers to be callers of the service that reads alone."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["decisions"].service_config[0].environment_variables["UPBEAT_API_PLACEMENTS"] == "{\"app@upbeat-test.iam.gserviceaccount.com\":[\"home\"]}"
    error_message = "Expected the placements of the variable, as JSON."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["decisions"].service_config[0].ingress_settings == "ALLOW_ALL" && google_cloudfunctions2_function.function["payment"].service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"
    error_message = "Expected programs from anywhere to reach the API, and nothing but Pub/Sub to reach a function."
  }
}

run "grpc_needs_an_image" {
  command = plan

  assert {
    condition     = length(google_cloud_run_v2_service.grpc) == 0
    error_message = "Expected no service without an image."
  }
}

run "grpc_has_the_callers_and_placements_of_the_api" {
  command = plan

  variables {
    decisions_grpc_image = "europe-west1-docker.pkg.dev/upbeat-test/upbeat-functions/decisions-grpc:1"
    api_readers          = ["group:support@example.com"]
    api_deciders         = ["serviceAccount:app@upbeat-test.iam.gserviceaccount.com"]
    api_placements       = { "app@upbeat-test.iam.gserviceaccount.com" = ["home"] }
    min_instances        = { decisions_grpc = 2 }
  }

  assert {
    condition = toset(keys(google_cloud_run_v2_service_iam_member.grpc_caller)) == toset([
      "decisions_grpc/serviceAccount:app@upbeat-test.iam.gserviceaccount.com",
      "decisions_grpc_read/serviceAccount:app@upbeat-test.iam.gserviceaccount.com",
      "decisions_grpc_read/group:support@example.com",
    ])
    error_message = "Expected readers to be callers of the service that reads alone."
  }
  assert {
    condition = { for name, service in google_cloud_run_v2_service.grpc : name => one([for env in service.template[0].containers[0].env : env.value if env.name == "UPBEAT_API_ONLY_READS"]) } == {
      decisions_grpc      = "false"
      decisions_grpc_read = "true"
    }
    error_message = "Expected the service for readers to refuse what changes something."
  }
  assert {
    condition     = alltrue([for service in google_cloud_run_v2_service.grpc : one(service.template[0].containers[0].ports).name == "h2c"])
    error_message = "Expected HTTP/2 up to the container."
  }
  assert {
    condition     = google_cloud_run_v2_service.grpc["decisions_grpc"].template[0].scaling[0].min_instance_count == 2
    error_message = "Expected the environment to override the table."
  }
  assert {
    condition     = contains([for env in google_cloud_run_v2_service.grpc["decisions_grpc"].template[0].containers[0].env : env.name], "UPBEAT_API_PLACEMENTS")
    error_message = "Expected the placements of the variable."
  }
}

run "features_are_read_where_they_are_asked_for" {
  command = plan

  variables {
    features_nodes = 2
  }

  assert {
    condition     = google_bigtable_instance.features[0].cluster[0].num_nodes == 2
    error_message = "Expected the number of nodes of the variable."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["payment"].service_config[0].environment_variables["UPBEAT_FEATURES_TABLE"] == "projects/upbeat-test/instances/upbeat/tables/user_features"
    error_message = "Expected functions to be told of the table."
  }
  assert {
    condition     = !contains(keys(google_cloudfunctions2_function.function["lifecycle_clock"].service_config[0].environment_variables), "UPBEAT_FEATURES_TABLE")
    error_message = "Expected nothing for the clock, which decides nothing."
  }
  assert {
    condition     = setsubtract(keys(google_cloudfunctions2_function.function), keys(google_bigtable_table_iam_member.reader)) == toset(["decisions_read", "lifecycle_clock", "user_erasure"])
    error_message = "Expected everything that decides to read the table."
  }
  assert {
    condition     = toset([for family in google_bigtable_table.features[0].column_family : family.family]) == toset(keys(google_bigtable_gc_policy.features))
    error_message = "Expected a policy for the old cells of each family."
  }
}

run "email_is_sent_where_it_is_asked_for" {
  command = plan

  variables {
    email = { host = "smtp.example.com", sender = "Example <offers@example.com>" }
  }

  assert {
    condition     = google_pubsub_subscription.consumer["deliver_email"].filter == "attributes.channel = \"email\""
    error_message = "Expected the filter of the table."
  }
  assert {
    condition     = [for member in google_cloud_run_v2_service_iam_member.links : member.member] == ["allUsers"] && google_cloudfunctions2_function.consumer["deliver_email"].service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"
    error_message = "Expected only the links to be public."
  }
  assert {
    condition     = !contains([for secret in google_secret_manager_secret_iam_member.email : secret.secret_id], "upbeat-smtp-password")
    error_message = "Expected no password without a user."
  }
}

run "the_models_have_no_job_without_an_image" {
  command = plan

  assert {
    condition     = length(google_cloud_run_v2_job.warehouse) + length(google_cloud_scheduler_job.warehouse) + length(google_service_account.warehouse) == 0
    error_message = "Expected no job, no schedule and no account."
  }
  assert {
    condition     = google_bigquery_dataset.models.location == google_bigquery_dataset.warehouse.location
    error_message = "Expected the models where the raw tables are: no query reads two locations."
  }
}

run "no_webhook_without_a_cms" {
  command = plan

  assert {
    condition     = length(google_cloud_run_v2_service_iam_member.webhook) + length(data.google_secret_manager_secret_version.cms) == 0
    error_message = "Expected nothing that anybody may call."
  }
}

run "a_space_has_its_webhook" {
  command = plan

  variables {
    contentful_space = "space1"
  }

  assert {
    condition     = keys(google_cloud_run_v2_service_iam_member.webhook) == ["catalog_sync"] && google_cloud_run_v2_service_iam_member.webhook["catalog_sync"].member == "allUsers"
    error_message = "Expected a function that Contentful may call, and no other one that anybody may."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["catalog_sync"].service_config[0].environment_variables["UPBEAT_CONTENTFUL_SPACE"] == "space1"
    error_message = "Expected the space of the variable."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["catalog_sync"].service_config[0].environment_variables["UPBEAT_CATALOG_APPROVAL"] == "true"
    error_message = "Expected two persons in prod."
  }
  assert {
    condition     = length(google_cloudfunctions2_function.function["catalog_sync"].service_config[0].secret_environment_variables) == 3 && length(google_cloudfunctions2_function.function["payment"].service_config[0].secret_environment_variables) == 1
    error_message = "Expected Contentful's secrets where they are needed, and nowhere else."
  }
  assert {
    condition     = google_firestore_document.catalog_settings.fields == jsonencode({ needs_approval = { booleanValue = true } })
    error_message = "Expected the command line to know of the two persons, too."
  }
  assert {
    condition     = google_firestore_field.webhooks.field == "expires_at"
    error_message = "Expected webhooks to be forgotten."
  }
}

run "a_site_has_its_webhook" {
  command = plan

  variables {
    wagtail_url = "https://cms.example.com"
  }

  assert {
    condition     = keys(google_cloud_run_v2_service_iam_member.webhook) == ["catalog_sync"]
    error_message = "Expected a function that the site may call."
  }
  assert {
    condition     = google_cloudfunctions2_function.function["catalog_sync"].service_config[0].environment_variables["UPBEAT_CMS"] == "wagtail" && !contains(keys(google_cloudfunctions2_function.function["catalog_sync"].service_config[0].environment_variables), "UPBEAT_CONTENTFUL_SPACE")
    error_message = "Expected the settings of the site alone."
  }
  assert {
    condition     = keys(data.google_secret_manager_secret_version.cms) == ["UPBEAT_WAGTAIL_SECRET", "UPBEAT_WAGTAIL_TOKEN"]
    error_message = "Expected the site's own secrets."
  }
}
