"""The bucket of pipelines on Dataflow, in which the log of all users may be."""

from tests.infra.terraform.resources import Resource, of_type

BUCKET = "upbeat-dev-upbeat-dataflow"


def test_what_is_in_the_bucket_is_gone_after_a_week_and_cannot_be_brought_back(applied: list[Resource]) -> None:
    (bucket,) = of_type(applied, "google_storage_bucket", "dataflow")
    ages = {rule["action"][0]["type"]: rule["condition"][0]["age"] for rule in bucket.values["lifecycle_rule"]}
    assert ages == {"Delete": 7, "AbortIncompleteMultipartUpload": 1}
    assert [each["retention_duration_seconds"] for each in bucket.values["soft_delete_policy"]] == [0]
    assert (bucket.values["name"], bucket.values["location"]) == (BUCKET, "europe-west1")
    assert bucket.values["public_access_prevention"] == "enforced"
