# A variable that is wrong fails the plan before anything is made.

mock_provider "google" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  project      = "upbeat-test"
  environment  = "prod"
  alert_emails = ["oncall@example.com"]
}

run "each_variable_has_its_rule" {
  command = plan

  variables {
    project                = "Upbeat"
    region                 = "europe-west99"
    scheduler_region       = "europe-west4" # has Cloud Run functions, but no Cloud Scheduler
    firestore_location     = "EU"
    bigquery_location      = "eur3"
    min_instances          = { paymnet = 1 }
    alert_emails           = ["oncall"]
    expiry_days            = 31
    zips                   = "/tmp/build"
    log_level              = "VERBOSE"
    stored_successes       = 5
    billing_account        = "my-account"
    monthly_budget         = 0.5
    features_nodes         = 0.5
    warehouse_image        = "warehouse"
    warehouse_schedule     = "daily"
    decisions_grpc_image   = "decisions"
    api_readers            = ["allUsers"]
    api_deciders           = ["domain:example.com"]
    api_placements         = { app = ["home"] }
    contentful_space       = "my space"
    contentful_environment = ""
    contentful_locale      = "en_US"
    email                  = { host = "smtp server", port = 0, security = "none", sender = "offers" }
  }

  expect_failures = [
    var.project,
    var.region,
    var.scheduler_region,
    var.firestore_location,
    var.bigquery_location,
    var.min_instances,
    var.alert_emails,
    var.expiry_days,
    var.zips,
    var.log_level,
    var.stored_successes,
    var.billing_account,
    var.monthly_budget,
    var.features_nodes,
    var.warehouse_image,
    var.warehouse_schedule,
    var.decisions_grpc_image,
    var.api_readers,
    var.api_deciders,
    var.api_placements,
    var.email,
    var.contentful_space,
    var.contentful_environment,
    var.contentful_locale,
  ]
}

run "an_environment_is_dev_or_prod" {
  command = plan

  variables {
    environment   = "staging"
    min_instances = { payment = 0.5 }
  }

  expect_failures = [
    var.environment,
    var.min_instances,
  ]
}

run "prod_needs_somebody_to_tell_and_zips" {
  command = plan

  variables {
    alert_emails = []
    zips         = "../missing"
  }

  expect_failures = [
    var.alert_emails,
    google_storage_bucket_object.source,
  ]
}

run "a_minimum_of_instances_is_below_the_maximum" {
  command = plan

  variables {
    min_instances = { lifecycle_clock = 5 }
  }

  expect_failures = [google_cloudfunctions2_function.function]
}

run "a_site_has_https" {
  command = plan

  variables {
    wagtail_url = "http://cms.example.com"
  }

  expect_failures = [var.wagtail_url]
}

run "a_catalog_has_one_cms" {
  command = plan

  variables {
    wagtail_url      = "https://cms.example.com"
    contentful_space = "space1"
  }

  expect_failures = [var.wagtail_url]
}
