"""Cloud Function for the links in mails: reports `clicked` and `dismissed`, and takes users off the list."""

from shared.entrypoints.mail_links import link_function

email_links = link_function()
