variable "project" {
  description = "The id of the Google Cloud project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project: expected a project id of 6 to 30 lower-case letters, digits and dashes, found \"${var.project}\"."
  }
}

variable "environment" {
  description = "The environment: dev may be quiet and cheap, prod has somebody who is told."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment: expected dev or prod, found \"${var.environment}\"."
  }
}

variable "region" {
  description = "The region of the functions, their images and their sources."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = contains(local.regions, var.region)
    error_message = "region: expected a region of Cloud Run functions, found \"${var.region}\". A new one belongs into regions.tf."
  }
}

variable "scheduler_region" {
  description = "The region of the schedules. Not every region of Cloud Run functions has Cloud Scheduler."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = contains(local.scheduler_regions, var.scheduler_region)
    error_message = "scheduler_region: expected a region of Cloud Scheduler, found \"${var.scheduler_region}\". A new one belongs into regions.tf."
  }
}

variable "firestore_location" {
  description = "The location of the users' documents. It can never be changed."
  type        = string
  default     = "eur3"

  validation {
    condition     = contains(concat(["eur3", "nam5", "nam7"], local.regions), var.firestore_location)
    error_message = "firestore_location: expected eur3, nam5, nam7 or a region, found \"${var.firestore_location}\"."
  }
}

variable "bigquery_location" {
  description = "The location of the warehouse. It can never be changed."
  type        = string
  default     = "EU"

  validation {
    condition     = contains(concat(["EU", "US"], local.regions), var.bigquery_location)
    error_message = "bigquery_location: expected EU, US or a region, found \"${var.bigquery_location}\"."
  }
}

variable "min_instances" {
  description = "Instances that stay warm, by function. Functions that are not named keep the number of the table."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.min_instances) : contains(keys(local.deployed_rows), name)])
    error_message = "min_instances: expected functions or services of topology.yaml (${join(", ", keys(local.deployed_rows))}), found ${join(", ", keys(var.min_instances))}."
  }
  validation {
    condition     = alltrue([for number in values(var.min_instances) : number >= 0 && floor(number) == number])
    error_message = "min_instances: expected whole numbers from 0, found ${join(", ", values(var.min_instances))}."
  }
}

variable "api_readers" {
  description = "Who may call the methods of the API that only read: IAM members, such as a service account or a group."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.api_readers : can(regex(local.member_form, member))])
    error_message = "api_readers: expected members such as serviceAccount:app@project.iam.gserviceaccount.com or group:apps@example.com, found ${join(", ", var.api_readers)}."
  }
}

variable "api_deciders" {
  description = "Who may call every method of the API: IAM members, such as a service account or a group."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.api_deciders : can(regex(local.member_form, member))])
    error_message = "api_deciders: expected members such as serviceAccount:app@project.iam.gserviceaccount.com or group:apps@example.com, found ${join(", ", var.api_deciders)}."
  }
}

variable "api_placements" {
  description = "The placements that each caller of the API may ask for, by its e-mail address: \"*\" for every one. Empty: every caller may ask for every one."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = alltrue([for caller in keys(var.api_placements) : can(regex("^[^@\\s]+@[^@\\s]+$", caller))])
    error_message = "api_placements: expected e-mail addresses of callers, found ${join(", ", keys(var.api_placements))}."
  }
}

variable "alert_emails" {
  description = "The addresses to which alerts go: at least one in prod."
  type        = list(string)

  validation {
    condition     = var.environment != "prod" || length(var.alert_emails) > 0
    error_message = "alert_emails: expected at least one address in prod, found none; nobody would be told of an alert."
  }
  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "alert_emails: expected e-mail addresses, found ${join(", ", var.alert_emails)}."
  }
}

variable "expiry_days" {
  description = "The age in days at which the warehouse drops raw messages."
  type        = number
  default     = 400

  validation {
    condition     = var.expiry_days >= 32 && var.expiry_days <= 3650 && floor(var.expiry_days) == var.expiry_days
    error_message = "expiry_days: expected a whole number from 32 (Pub/Sub may deliver a message of 31 days ago) to 3650, found ${var.expiry_days}."
  }
}

variable "zips" {
  description = "The folder of the functions' zips, relative to this module."
  type        = string
  default     = "../build"

  validation {
    condition     = !startswith(var.zips, "/") && !startswith(var.zips, "~")
    error_message = "zips: expected a folder relative to infra/terraform, found \"${var.zips}\"; an absolute path is kept in the state and differs on every machine."
  }
}

variable "log_level" {
  description = "The least severity that functions log. INFO is one line for each event."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], var.log_level)
    error_message = "log_level: expected DEBUG, INFO, WARNING, ERROR or CRITICAL, found \"${var.log_level}\"."
  }
}

variable "stored_successes" {
  description = "The share of the lines of successful events that Cloud Logging stores. Metrics count every line anyway."
  type        = number
  default     = 1

  validation {
    condition     = var.stored_successes >= 0 && var.stored_successes <= 1
    error_message = "stored_successes: expected a share from 0 to 1, found ${var.stored_successes}."
  }
}

variable "import_database" {
  description = "True takes over a (default) Firestore database that the project already has."
  type        = bool
  default     = false
}

variable "billing_account" {
  description = "The billing account that the budget watches; without one there is no budget."
  type        = string
  default     = null

  validation {
    condition     = var.billing_account == null || can(regex("^[0-9A-F]{6}(-[0-9A-F]{6}){2}$", var.billing_account))
    error_message = "billing_account: expected an id such as 012345-6789AB-CDEF01, found \"${coalesce(var.billing_account, "nothing")}\"."
  }
}

variable "monthly_budget" {
  description = "The monthly spend, in whole units of the billing account's currency, of which the budget warns."
  type        = number
  default     = 100

  validation {
    condition     = var.monthly_budget >= 1 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "monthly_budget: expected a whole number from 1, found ${var.monthly_budget}."
  }
}

variable "otlp_endpoint" {
  description = "The address of an OTLP collector to which functions export spans over HTTP. Empty: none are exported."
  type        = string
  default     = ""

  validation {
    condition     = var.otlp_endpoint == "" || can(regex("^https?://[^/]+$", var.otlp_endpoint))
    error_message = "otlp_endpoint: expected http:// or https:// with a host and no path, or nothing, found \"${var.otlp_endpoint}\"."
  }
}

variable "features_nodes" {
  description = "The nodes of the Bigtable instance from which functions read users' features. 0: there is none."
  type        = number
  default     = 0

  validation {
    condition     = var.features_nodes >= 0 && var.features_nodes <= 30 && floor(var.features_nodes) == var.features_nodes
    error_message = "features_nodes: expected a whole number from 0 to 30, found ${var.features_nodes}."
  }
}

variable "warehouse_image" {
  description = "The image of the job that builds the models (docs/operations.md says how to make it). Empty: there is no job."
  type        = string
  default     = ""

  validation {
    condition     = var.warehouse_image == "" || can(regex("^[a-z0-9-]+-docker\\.pkg\\.dev/[a-z0-9-]+/[a-z0-9-]+/[a-z0-9-]+(:[\\w.-]+|@sha256:[0-9a-f]{64})$", var.warehouse_image))
    error_message = "warehouse_image: expected an image of Artifact Registry with its tag or digest, or nothing, found \"${var.warehouse_image}\"."
  }
}

variable "decisions_grpc_image" {
  description = "The image of the API over gRPC (docs/operations.md says how to make it). Empty: the API is there over HTTP alone."
  type        = string
  default     = ""

  validation {
    condition     = var.decisions_grpc_image == "" || can(regex("^[a-z0-9-]+-docker\\.pkg\\.dev/[a-z0-9-]+/[a-z0-9-]+/[a-z0-9-]+(:[\\w.-]+|@sha256:[0-9a-f]{64})$", var.decisions_grpc_image))
    error_message = "decisions_grpc_image: expected an image of Artifact Registry with its tag or digest, or nothing, found \"${var.decisions_grpc_image}\"."
  }
}

variable "warehouse_schedule" {
  description = "When the job runs (cron, UTC): once a night, or once an hour as \"20 * * * *\"."
  type        = string
  default     = "0 3 * * *"

  validation {
    condition     = can(regex("^\\S+( \\S+){4}$", var.warehouse_schedule))
    error_message = "warehouse_schedule: expected five fields of cron, found \"${var.warehouse_schedule}\"."
  }
}

variable "email" {
  description = "The mail server by which triggers on the channel email are delivered, and their sender (docs/operations.md says what must be there before). Null: none are."
  type = object({
    host     = string
    port     = optional(number, 587)
    security = optional(string, "starttls")
    user     = optional(string, "")
    sender   = string
  })
  default = null

  validation {
    condition     = var.email == null || can(regex("^[a-z0-9.-]+$", var.email.host))
    error_message = "email: expected the name of a mail server as host, found \"${try(var.email.host, "nothing")}\"."
  }
  validation {
    condition     = var.email == null || (try(var.email.port, 0) > 0 && try(var.email.port, 0) < 65536 && floor(try(var.email.port, 0.5)) == try(var.email.port, 0))
    error_message = "email: expected a port from 1 to 65535, found ${try(var.email.port, "nothing")}."
  }
  validation {
    condition     = var.email == null || contains(["starttls", "tls"], try(var.email.security, ""))
    error_message = "email: expected starttls or tls as security, found \"${try(var.email.security, "nothing")}\"."
  }
  validation {
    condition     = var.email == null || can(regex("^([^<>\\r\\n]+ <)?[^@\\s<>]+@[^@\\s<>]+\\.[^@\\s<>]+>?$", var.email.sender))
    error_message = "email: expected a sender such as Name <a@example.com>, found \"${try(var.email.sender, "nothing")}\"."
  }
}

variable "wagtail_url" {
  description = "The address of the Wagtail site that holds the catalog. Empty: there is none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(https://[^/?#\\s]+(/[^?#\\s]*)?)?$", var.wagtail_url))
    error_message = "wagtail_url: expected an address with https, found \"${var.wagtail_url}\"."
  }
  validation {
    condition     = var.wagtail_url == "" || var.contentful_space == ""
    error_message = "wagtail_url: expected one CMS, found contentful_space as well."
  }
}

variable "contentful_space" {
  description = "The id of the space in Contentful that holds the catalog. Without it and wagtail_url, there is no webhook."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{0,64}$", var.contentful_space))
    error_message = "contentful_space: expected the id of a space, found \"${var.contentful_space}\"."
  }
}

variable "contentful_environment" {
  description = "The environment of the space."
  type        = string
  default     = "master"

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{1,64}$", var.contentful_environment))
    error_message = "contentful_environment: expected the name of an environment, found \"${var.contentful_environment}\"."
  }
}

variable "contentful_locale" {
  description = "The locale whose values make the catalog."
  type        = string
  default     = "en-US"

  validation {
    condition     = can(regex("^[A-Za-z0-9-]{2,20}$", var.contentful_locale))
    error_message = "contentful_locale: expected a locale such as en-US, found \"${var.contentful_locale}\"."
  }
}

variable "dataflow" {
  description = "True makes the account and the bucket of pipelines on Dataflow (docs/operations.md says how they run)."
  type        = bool
  default     = false
}
