"""Pipelines by name, and the template that comes with the program."""

from __future__ import annotations

import dataclasses

import pytest

from nephos.config import load, schema
from nephos.farm import templates
from nephos.processing import errors, pipelines, queries


def with_pipelines(home: load.Loaded, **tables: schema.Pipeline) -> load.Loaded:
    settings = load.convert({}, source="test")
    changed = {f: getattr(settings, f) for f in settings.__struct_fields__} | {"pipeline": tables}
    return dataclasses.replace(home, settings=schema.Settings(**changed))


def test_the_archive_template_is_one_that_the_farm_takes(home: load.Loaded) -> None:
    found = pipelines.find("archive", settings=home.settings, home=home.home)

    plan = templates.plan(found.template, {"Source": "/a/it's [odd]; 'x'\n.ts", "Folder": "/p", "Stem": "s"})

    assert [step.name for step in plan.steps] == ["Probe", "Video", "Captions", "Thumbnails", "Manifest"]
    assert plan.parameters["Manifest"] == ""
    assert plan.parameters["Source"] == "/a/it's [odd]; 'x'\n.ts"


def test_a_table_of_the_settings_names_a_built_in_template_and_fixes_parameters(home: load.Loaded) -> None:
    loaded = with_pipelines(home, mine=schema.Pipeline(template="archive", parameters={"Language": "spa"}))

    found = pipelines.find("mine", settings=loaded.settings, home=loaded.home)

    assert found.parameters == {"Language": "spa"}
    assert pipelines.names(loaded.settings) == ("archive", "mine")


def test_a_table_of_the_settings_names_a_file_below_config(home: load.Loaded) -> None:
    (home.home.config / "own.yaml").write_text("specificationVersion: jobtemplate-2023-09\n")
    loaded = with_pipelines(home, own=schema.Pipeline(template="own.yaml"))

    assert pipelines.find("own", settings=loaded.settings, home=loaded.home).template.startswith("specification")
    assert queries.pipelines(loaded)[1].problem != ""  # a template without steps is no template


@pytest.mark.parametrize("template", ["../../etc/passwd", "/etc/passwd", "missing.yaml"])
def test_a_template_elsewhere_is_refused(home: load.Loaded, template: str) -> None:
    loaded = with_pipelines(home, own=schema.Pipeline(template=template))

    with pytest.raises(errors.UnknownPipeline, match="own"):
        pipelines.find("own", settings=loaded.settings, home=loaded.home)


def test_an_unknown_name_says_which_there_are(home: load.Loaded) -> None:
    with pytest.raises(errors.UnknownPipeline) as caught:
        pipelines.find("archvie", settings=home.settings, home=home.home)

    assert caught.value.hint == "There are: archive."
