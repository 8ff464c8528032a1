"""Generated documents: JSON Schemas and the AsyncAPI document of the contracts."""
