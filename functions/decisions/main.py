"""Cloud Function `decisions`: the whole API over HTTP, for apps that read and decide."""

from shared.entrypoints.api.http import api_function

decisions = api_function("decisions", only_reads=False)
