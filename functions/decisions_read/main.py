"""Cloud Function `decisions-read`: the methods of the API that change nothing, for apps that only read."""

from shared.entrypoints.api.http import api_function

decisions_read = api_function("decisions_read", only_reads=True)
