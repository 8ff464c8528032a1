"""Makes the JSON Schemas of models for the generated documents."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


class Schemas(GenerateJsonSchema):
    """Pydantic's schema generator without titles derived from names and without defaults of null."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the signature is pydantic's
        """Return False: a field's name serves as its title."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Allow null for an optional inbound field: validation treats null as a field left out."""
        generated = super().default_schema(schema)
        if generated.get("default") is None:
            generated.pop("default", None)
        elif self.mode == "validation":
            default = generated.pop("default")
            generated = {"anyOf": [generated, {"type": "null"}], "default": default}
        return generated
