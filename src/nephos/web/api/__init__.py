"""The API of the station: one module a noun, thin over services and queries. Commands, pages and programs use it."""
