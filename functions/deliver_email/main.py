"""Cloud Function for `upsell-trigger` on the channel `email`: sends the mail of each trigger once."""

from shared.entrypoints.mail import email_function

deliver_email = email_function()
