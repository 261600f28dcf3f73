"""Templates against the shape that the specification gives them."""

from __future__ import annotations

import pytest

from nephos.farm import errors, templates

FRAMES = """
specificationVersion: jobtemplate-2023-09
name: "Frames of {{RawParam.Scene}}"
parameterDefinitions:
  - {name: Scene, type: PATH, objectType: FILE, dataFlow: IN}
  - {name: Frames, type: STRING, default: "1-100000"}
  - {name: Quality, type: INT, default: 5, minValue: 1, maxValue: 9}
steps:
  - name: Encode
    dependencies: [{dependsOn: Render}]
    script: {actions: {onRun: {command: ffmpeg, args: ["-i", "{{Param.Scene}}"]}}}
  - name: Render
    parameterSpace:
      taskParameterDefinitions:
        - {name: Frame, type: INT, range: "{{Param.Frames}}"}
        - {name: Eye, type: STRING, range: [left, right]}
      combination: "Frame * Eye"
    script: {actions: {onRun: {command: blender, args: ["-f", "{{Task.Param.Frame}}"]}}}
"""
SCENE = {"Scene": "/mnt/proj/a b.blend"}


def test_steps_come_after_what_they_need_with_their_number_of_tasks() -> None:
    plan = templates.plan(FRAMES, SCENE)

    assert plan.name == "Frames of /mnt/proj/a b.blend"
    assert plan.steps == (
        templates.StepPlan("Render", (), 200_000),
        templates.StepPlan("Encode", ("Render",), 1),
    )
    assert plan.parameters == {"Scene": "/mnt/proj/a b.blend", "Frames": "1-100000", "Quality": "5"}


def test_tasks_are_laid_out_by_their_number_without_walking_the_rest() -> None:
    last = templates.task_parameters(FRAMES, SCENE, step="Render", first=199_999, count=10)
    beyond = templates.task_parameters(FRAMES, SCENE, step="Render", first=200_000, count=10)

    assert (last, beyond) == ([{"Frame": "100000", "Eye": "right"}], [])


def test_a_windows_path_passes_unchanged() -> None:
    plan = templates.plan(FRAMES, {"Scene": "S:\\proj\\a.blend"})

    assert plan.parameters["Scene"] == "S:\\proj\\a.blend"


def test_adaptive_chunks_get_a_fixed_size() -> None:
    chunked = FRAMES.replace(
        "type: INT, range:",
        "type: 'CHUNK[INT]', chunks: {defaultTaskCount: 10, "
        "targetRuntimeSeconds: 60, rangeConstraint: CONTIGUOUS}, range:",
    )
    chunked = f"extensions: [TASK_CHUNKING]\n{chunked}"

    plan = templates.plan(chunked, SCENE)

    assert plan.steps[0].tasks == 20_000
    assert templates.task_parameters(chunked, SCENE, step="Render", first=0, count=1)[0]["Frame"] == "1-10"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a valid YAML"),
        ("a: [", "not a valid YAML"),
        ("[1, 2]", "not a valid YAML"),
        ("name: x", "specificationVersion"),
        ("specificationVersion: jobtemplate-2099-01", "Unknown template version"),
        (FRAMES + "extensions: [MAGIC]", "MAGIC"),
        (FRAMES.replace("{{Param.Scene}}", "{{Param.Scenery}}"), "Scenery"),
        (FRAMES.replace("dependsOn: Render", "dependsOn: Encode"), "cannot depend upon itself"),
        (FRAMES.replace("dependsOn: Render", "dependsOn: Nothing"), "Nothing"),
        (FRAMES.replace("name: Render\n", "name: Render\n    dependencies: [{dependsOn: Encode}]\n"), "circle"),
        (FRAMES.replace("script:", "scripts:"), "script"),
        ("#" * (1 << 20) + FRAMES, "1 MiB"),
    ],
)
def test_a_bad_template_is_refused_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(errors.BadTemplate, match=words) as refused:
        templates.plan(text, SCENE)

    assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "Scene"),
        ({**SCENE, "Quality": 10}, "Quality"),
        ({**SCENE, "Quality": "best"}, "Quality"),
        ({**SCENE, "Other": 1}, "Other"),
        ({**SCENE, "Frames": "7-"}, "range"),
    ],
)
def test_bad_parameters_are_refused_in_one_sentence(parameters: dict[str, object], words: str) -> None:
    with pytest.raises(errors.BadParameters, match=words) as refused:
        templates.plan(FRAMES, parameters)

    assert "\n" not in refused.value.message


def test_a_step_or_task_that_is_not_there_is_refused() -> None:
    with pytest.raises(errors.BadTemplate, match="no step 'Rander'"):
        templates.runnable(FRAMES, SCENE, step="Rander", number=0)
    with pytest.raises(errors.BadTemplate, match="no task 200000"):
        templates.runnable(FRAMES, SCENE, step="Render", number=200_000)
