"""Cloud Function `catalog_sync`: publishes the catalog that editors keep in a CMS, at its webhooks."""

from shared.entrypoints.cms_webhook import webhook_function

catalog_sync = webhook_function("catalog_sync")
