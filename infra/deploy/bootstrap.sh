#!/usr/bin/env bash
# Prepares an empty Google Cloud project for its first build. Needs bash and gcloud, and an owner of the project.
# It may be run again at any time: it reads what is there and makes what is missing.
set -euo pipefail

usage() {
    cat << 'TEXT'
Usage: infra/deploy/bootstrap.sh PROJECT [--region REGION] [--billing-account ID] [--print]

  PROJECT               the id of a project with billing
  --region REGION       the region of the state bucket (default: europe-west1)
  --billing-account ID  also let the deployer make a budget in this billing account
  --print               print the commands that would change something, and run none of them
TEXT
}

readonly APIS="
artifactregistry.googleapis.com
bigquery.googleapis.com
bigtable.googleapis.com
bigtableadmin.googleapis.com
billingbudgets.googleapis.com
cloudbuild.googleapis.com
cloudfunctions.googleapis.com
cloudresourcemanager.googleapis.com
cloudscheduler.googleapis.com
firestore.googleapis.com
iam.googleapis.com
logging.googleapis.com
monitoring.googleapis.com
pubsub.googleapis.com
run.googleapis.com
secretmanager.googleapis.com
serviceusage.googleapis.com
storage.googleapis.com
"

# The deployer's roles in the project: one for each type of resource and data in infra/terraform.
# https://cloud.google.com/iam/docs/understanding-roles
readonly ROLES="
google_artifact_registry_repository             roles/artifactregistry.admin
google_artifact_registry_repository_iam_member  roles/artifactregistry.admin
google_bigquery_dataset                         roles/bigquery.dataOwner
google_bigquery_dataset_iam_member              roles/bigquery.dataOwner
google_bigquery_table                           roles/bigquery.dataOwner
google_bigtable_app_profile                     roles/bigtable.admin
google_bigtable_gc_policy                       roles/bigtable.admin
google_bigtable_instance                        roles/bigtable.admin
google_bigtable_table                           roles/bigtable.admin
google_bigtable_table_iam_member                roles/bigtable.admin
google_cloud_run_v2_job                         roles/run.admin
google_cloud_run_v2_job_iam_member              roles/run.admin
google_cloud_run_v2_service                     roles/run.admin
google_cloud_run_v2_service_iam_member          roles/run.admin
google_cloud_scheduler_job                      roles/cloudscheduler.admin
google_cloudbuild_trigger                       roles/cloudbuild.builds.editor
google_cloudfunctions2_function                 roles/cloudfunctions.developer
google_firestore_backup_schedule                roles/datastore.owner
google_firestore_database                       roles/datastore.owner
google_firestore_document                       roles/datastore.owner
google_firestore_field                          roles/datastore.owner
google_firestore_index                          roles/datastore.owner
google_logging_metric                           roles/logging.configWriter
google_logging_project_exclusion                roles/logging.configWriter
google_monitoring_alert_policy                  roles/monitoring.editor
google_monitoring_custom_service                roles/monitoring.editor
google_monitoring_dashboard                     roles/monitoring.editor
google_monitoring_notification_channel          roles/monitoring.editor
google_monitoring_slo                           roles/monitoring.editor
google_project                                  roles/resourcemanager.projectIamAdmin
google_project_iam_custom_role                  roles/iam.roleAdmin
google_project_iam_member                       roles/resourcemanager.projectIamAdmin
google_project_service                          roles/serviceusage.serviceUsageAdmin
google_pubsub_subscription                      roles/pubsub.admin
google_pubsub_subscription_iam_member           roles/pubsub.admin
google_pubsub_topic                             roles/pubsub.admin
google_pubsub_topic_iam_member                  roles/pubsub.admin
google_secret_manager_secret_iam_member         roles/secretmanager.admin
google_secret_manager_secret_version            roles/secretmanager.admin
google_service_account                          roles/iam.serviceAccountAdmin
google_service_account_iam_member               roles/iam.serviceAccountAdmin
google_storage_bucket                           roles/storage.admin
google_storage_bucket_iam_member                roles/storage.admin
google_storage_bucket_object                    roles/storage.admin
build_logs                                      roles/logging.logWriter
"
# Budgets belong to the billing account, which is not part of the project.
readonly BILLING_ROLES="
google_billing_budget                           roles/billing.costsManager
"
readonly SECRET=upbeat-user-hash-key

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE

main() {
    read_arguments "$@"
    check_project
    enable_apis
    make_state_bucket
    make_deployer
    make_pubsub_agent
    make_user_hash_key
    lock_providers
    say "$PROJECT is ready. Next: gcloud builds submit --project $PROJECT"
    say "For production: add --substitutions=_ENVIRONMENT=prod, read the plan, and approve the second build."
}

read_arguments() {
    PROJECT='' REGION=europe-west1 BILLING_ACCOUNT='' PRINT=''
    while [ $# -gt 0 ]; do
        case $1 in
            --region) REGION=${2:?"--region: expected a region, found nothing"}; shift 2 ;;
            --billing-account) BILLING_ACCOUNT=${2:?"--billing-account: expected an id, found nothing"}; shift 2 ;;
            --print) PRINT=yes; shift ;;
            -h | --help) usage; exit ;;
            -*) usage >&2; die "unknown option $1" 2 ;;
            *) [ -z "$PROJECT" ] || die "expected one project, found $PROJECT and $1" 2; PROJECT=$1; shift ;;
        esac
    done
    [ -n "$PROJECT" ] || { usage >&2; die "expected the id of a project, found nothing" 2; }
    readonly PROJECT REGION BILLING_ACCOUNT PRINT
    readonly BUCKET=gs://$PROJECT-upbeat-state
    readonly DEPLOYER=upbeat-deployer@$PROJECT.iam.gserviceaccount.com
    export CLOUDSDK_CORE_DISABLE_PROMPTS=1 CLOUDSDK_CORE_PROJECT=$PROJECT
}

check_project() {
    local state billing
    command -v gcloud > /dev/null \
        || die "expected gcloud on the PATH, found none: https://cloud.google.com/sdk/docs/install"
    [ -n "$(gcloud auth list --filter=status:ACTIVE '--format=value(account)')" ] \
        || die "expected an active account, found none: gcloud auth login"
    state=$(gcloud projects describe "$PROJECT" '--format=value(lifecycleState)') \
        || die "expected a project $PROJECT that you may read, found none: gcloud projects list shows yours"
    [ "$state" = ACTIVE ] || die "expected $PROJECT to be active, found $state"
    billing=$(gcloud billing projects describe "$PROJECT" '--format=value(billingEnabled)') \
        || die "expected to read the billing of $PROJECT, found no permission: ask an owner of the project"
    [ "$billing" = True ] \
        || die "expected billing, found none: gcloud billing projects link $PROJECT --billing-account=ID"
}

enable_apis() {
    local enabled api missing=()
    enabled=$(gcloud services list --enabled '--format=value(config.name)')
    for api in $APIS; do
        has_line "$enabled" "$api" || missing+=("$api")
    done
    [ ${#missing[@]} -eq 0 ] || change gcloud services enable "${missing[@]}"
}

# Releases and caches of builds lie in this bucket too. They expire; of the state, the newest 100 versions stay.
make_state_bucket() {
    exists gcloud storage buckets describe "$BUCKET" \
        || change gcloud storage buckets create "$BUCKET" "--location=$REGION" \
            --uniform-bucket-level-access --public-access-prevention
    [ "$(value gcloud storage buckets describe "$BUCKET" '--format=value(versioning_enabled)')" = True ] \
        || change gcloud storage buckets update "$BUCKET" --versioning
    [ -n "$(value gcloud storage buckets describe "$BUCKET" '--format=value(lifecycle_config)')" ] \
        || change gcloud storage buckets update "$BUCKET" "--lifecycle-file=$HERE/state_lifecycle.json"
}

make_deployer() {
    local role granted member=serviceAccount:$DEPLOYER
    exists gcloud iam service-accounts describe "$DEPLOYER" \
        || change gcloud iam service-accounts create upbeat-deployer '--display-name=Upbeat deployer: runs builds'
    granted=$(gcloud projects get-iam-policy "$PROJECT" --flatten=bindings \
        "--filter=bindings.members:$member" '--format=value(bindings.role)')
    for role in $(roles_in "$ROLES"); do
        has_line "$granted" "$role" \
            || change patiently gcloud projects add-iam-policy-binding "$PROJECT" \
                "--member=$member" "--role=$role" --condition=None --format=none
    done
    let_deployer_act_as_itself "$member"
    [ -z "$BILLING_ACCOUNT" ] || let_deployer_make_budgets "$member"
}

# The trigger of production's second build runs as the deployer, and the deployer makes it.
let_deployer_act_as_itself() {
    local granted role=roles/iam.serviceAccountUser
    granted=$(value gcloud iam service-accounts get-iam-policy "$DEPLOYER" --flatten=bindings \
        "--filter=bindings.members:$1" '--format=value(bindings.role)')
    has_line "$granted" "$role" \
        || change patiently gcloud iam service-accounts add-iam-policy-binding "$DEPLOYER" \
            "--member=$1" "--role=$role" --format=none
}

let_deployer_make_budgets() {
    local role granted
    granted=$(gcloud billing accounts get-iam-policy "$BILLING_ACCOUNT" --flatten=bindings \
        "--filter=bindings.members:$1" '--format=value(bindings.role)')
    for role in $(roles_in "$BILLING_ROLES"); do
        has_line "$granted" "$role" \
            || change patiently gcloud billing accounts add-iam-policy-binding "$BILLING_ACCOUNT" \
                "--member=$1" "--role=$role" --format=none
    done
}

# Pub/Sub makes its agent on first use; Terraform grants it roles before that. The command is safe to repeat.
make_pubsub_agent() {
    change gcloud beta services identity create --service=pubsub.googleapis.com --format=none
}

# The functions read the key when they are deployed, so it must be there before Terraform makes them.
make_user_hash_key() {
    local version
    exists gcloud secrets describe "$SECRET" \
        || change gcloud secrets create "$SECRET" --replication-policy=automatic
    version=$(value gcloud secrets versions list "$SECRET" --filter=state:ENABLED --limit=1 '--format=value(name)')
    [ -n "$version" ] || change add_random_version "$SECRET"
}

# 256 random bits as text. They go through a pipe, never to a terminal or a file.
add_random_version() {
    head -c 32 /dev/urandom | base64 | tr -d '\n' | gcloud secrets versions add "$1" --data-file=- --format=none
}

lock_providers() {
    local folder=${HERE%/*}/terraform
    local lock=$folder/.terraform.lock.hcl
    [ ! -e "$lock" ] || return 0
    if command -v terraform > /dev/null; then
        change terraform "-chdir=$folder" providers lock -platform=linux_amd64 -platform=darwin_arm64
        say "Commit $lock: it pins the providers of every later build."
    else
        say "Providers are not pinned yet. Install Terraform, run this again, and commit $lock."
    fi
}

# Helpers.

say() { printf '%s\n' "$1"; }

die() {
    printf 'bootstrap: %s\n' "$1" >&2
    exit "${2:-1}"
}

# Run a command that changes something, or with --print only show it.
change() {
    if [ -n "$PRINT" ]; then
        [ "$1" != patiently ] || shift
        printf 'would run: %s\n' "$*"
    else
        "$@"
    fi
}

# A command's answer; nothing if what it asks about does not exist.
value() { "$@" 2> /dev/null || true; }

exists() { "$@" > /dev/null 2>&1; }

has_line() { [[ $'\n'$1$'\n' == *$'\n'"$2"$'\n'* ]]; }

# The roles of a table, each once.
roles_in() { awk 'NF { print $2 }' <<< "$1" | sort -u; }

# IAM knows a new account only after some seconds.
patiently() {
    local attempt
    for attempt in 1 2 3 4 5 6; do
        "$@" && return
        [ "$attempt" = 6 ] || sleep "${UPBEAT_RETRY_SECONDS:-5}"
    done
    die "failed six times: $*"
}

main "$@"
