# The key with which functions hash user ids in their logs. The bootstrap makes the secret and its first version, so
# that the key is in no state and exists before the first function starts. A new version takes effect with an apply.

data "google_secret_manager_secret_version" "user_hash_key" {
  secret            = "upbeat-user-hash-key"
  fetch_secret_data = false
}

resource "google_secret_manager_secret_iam_member" "user_hash_key" {
  for_each = local.running

  secret_id = data.google_secret_manager_secret_version.user_hash_key.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.key].member
}
