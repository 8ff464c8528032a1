# The table of topics and functions, with the defaults written into every row as infra/topology.py does.

locals {
  table         = yamldecode(file("${path.module}/../topology.yaml"))
  topics        = { for name, row in local.table.topics : name => merge(local.table.topic_defaults, row) }
  dead_letter   = local.table.dead_letter
  schedules     = local.table.schedules
  day           = 86400
  deployed_rows = merge(local.table.functions, local.table.services, local.table.grpc_services, local.table.webhooks)
  listened      = [for function in local.functions : function.listens]

  functions = {
    for name, row in local.table.functions : name => merge(local.table.function_defaults, row, {
      service       = replace(name, "_", "-")
      min_instances = lookup(var.min_instances, name, merge(local.table.function_defaults, row).min_instances)
    })
  }

  # Services that programs call. They have the columns of a function that do not concern a subscription.
  services = {
    for name, row in local.table.services : name => merge(local.table.service_defaults, row, {
      service       = replace(name, "_", "-")
      min_instances = lookup(var.min_instances, name, merge(local.table.service_defaults, row).min_instances)
    })
  }

  # What a CMS calls, where one is named.
  webhooks = {
    for name, row in local.table.webhooks : name => merge(local.table.service_defaults, row, {
      service       = replace(name, "_", "-")
      min_instances = lookup(var.min_instances, name, merge(local.table.service_defaults, row).min_instances)
    }) if local.cms != ""
  }

  # Everything that has a zip, an account and an address. IAM guards the API, which may be called from outside, and a
  # signature the webhooks.
  deployed = merge(
    { for name, row in local.functions : name => merge({ for column in local.common : column => row[column] }, {
      description = "Processes the events of ${row.listens}."
      ingress     = "ALLOW_INTERNAL_ONLY"
      environment = {}
      reads_only  = false
    }) },
    { for name, row in local.services : name => merge({ for column in local.common : column => row[column] }, {
      description = "Answers the programs that call the API."
      ingress     = "ALLOW_ALL"
      environment = local.api_environment
      reads_only  = length(row.publishes) == 0
    }) },
    { for name, row in local.webhooks : name => merge({ for column in local.common : column => row[column] }, {
      description = "Publishes the catalog that editors keep in a CMS."
      ingress     = "ALLOW_ALL"
      environment = local.cms_environment
      reads_only  = false
    }) },
  )
  common = concat(keys(local.table.service_defaults), ["service"])

  # Everything that has an account: what is deployed from a zip, and what runs an image (grpc.tf).
  running = merge(local.deployed, {
    for name, row in local.grpc_services : name => merge({ for column in local.common : column => row[column] }, { reads_only = row.reads_only })
  })

  # A column's default says that it exists.
  columns         = concat(["listens", "invoked_by", "folder"], keys(local.table.function_defaults))
  unknown_columns = setsubtract(flatten([for row in values(local.deployed_rows) : keys(row)]), local.columns)

  # One entry for each topic that a function or service publishes to.
  publications = merge([
    for name, function in local.running : {
      for topic in function.publishes : "${name}/${topic}" => { function = name, topic = topic }
    }
  ]...)
}

# What a plan can see of a wrong table. infra/topology.py reads it more strictly: of two equal keys, Terraform takes the
# last one in silence.
resource "terraform_data" "topology" {
  lifecycle {
    precondition {
      condition     = length(local.unknown_columns) == 0
      error_message = "topology.yaml: expected the columns ${join(", ", local.columns)}, found ${join(", ", local.unknown_columns)}."
    }
    precondition {
      condition     = alltrue([for topic in local.listened : contains(keys(local.topics), topic)])
      error_message = "topology.yaml: expected functions to listen to topics of the table, found ${join(", ", setsubtract(local.listened, keys(local.topics)))}. Add it under topics, or correct the row."
    }
    precondition {
      condition     = length(local.listened) == length(distinct(local.listened))
      error_message = "topology.yaml: expected one listener for each topic, found two functions that listen to one of ${join(", ", local.listened)}."
    }
    precondition {
      condition     = alltrue([for row in local.publications : contains(keys(local.topics), row.topic)])
      error_message = "topology.yaml: expected functions to publish to topics of the table, found ${join(", ", setsubtract([for row in local.publications : row.topic], keys(local.topics)))}. Add it under topics, or correct the row."
    }
    precondition {
      condition     = alltrue([for topic in keys(local.schedules) : contains(local.listened, topic)])
      error_message = "topology.yaml: expected schedules for topics that a function listens to, found ${join(", ", setsubtract(keys(local.schedules), local.listened))}."
    }
    precondition {
      condition     = contains(keys(local.topics), local.dead_letter.topic)
      error_message = "topology.yaml: expected dead_letter.topic among the topics, found ${local.dead_letter.topic}."
    }
  }
}
