"""The steps of our own pipelines: plain programs that know no database."""
