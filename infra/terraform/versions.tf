terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.46, < 9.0"
    }
  }

  # The bootstrap makes the bucket: terraform init -backend-config=bucket=PROJECT-upbeat-state
  backend "gcs" {
    prefix = "upbeat"
  }
}

provider "google" {
  project = var.project
  region  = var.region

  default_labels = {
    application = "upbeat"
    environment = var.environment
  }
}

data "google_project" "this" {
  project_id = var.project
}
