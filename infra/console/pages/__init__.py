"""The pages of the console, one module each: it reads from the sources and fills its templates."""
