"""The one door to `openjd-model`: read a template, check parameters, lay out steps and tasks.

The library is imported when it is first needed: it costs half a second, which no command should pay for a help text.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nephos.farm import errors

EXTENSIONS = ("TASK_CHUNKING", "REDACTED_ENV_VARS", "FEATURE_BUNDLE_1", "EXPR", "WRAP_ACTIONS")
_TEMPLATE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step: what it waits for, and how many tasks it has."""

    name: str
    depends: tuple[str, ...]
    tasks: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A job as the template and its parameters describe it."""

    name: str
    parameters: dict[str, Any]
    steps: tuple[StepPlan, ...]


@dataclass(frozen=True, slots=True)
class Runnable:
    """What a session needs to run one task; objects of the library, meant for `runner` alone."""

    name: str
    step: Any
    step_table: Any
    job_table: Any
    environments: tuple[Any, ...]
    parameters: dict[str, Any]
    task: dict[str, Any]
    revision: Any


def decode(text: str) -> Any:
    """A checked job template. Raises BadTemplate."""
    from openjd import model

    if len(text) > _TEMPLATE_BYTES:
        raise errors.BadTemplate("The job template is larger than 1 MiB.")
    try:
        document = model.document_string_to_object(document=text, document_type=model.DocumentType.YAML)
        return model.decode_job_template(template=document, supported_extensions=EXTENSIONS)
    except IndexError as error:
        # 0.14 falls over its own message when a rule of the whole template is broken; circles are the only one known.
        raise errors.BadTemplate(
            "The job template cannot be used: its steps wait for each other in a circle."
        ) from error
    except (model.DecodeValidationError, NotImplementedError, RecursionError) as error:
        raise errors.BadTemplate(
            f"The job template cannot be used: {_one_line(error)}",
            hint="Templates follow Open Job Description, jobtemplate-2023-09.",
        ) from error


def plan(text: str, parameters: Mapping[str, Any]) -> Plan:
    """Steps in an order that respects their dependencies. Raises BadTemplate, BadParameters."""
    job, values = _create(text, parameters)
    steps = {step.name: step for step in job.steps}
    order = _ordered({name: _depends(step) for name, step in steps.items()})
    return Plan(
        name=str(job.name),
        parameters={name: value.value for name, value in values.items()},
        steps=tuple(
            StepPlan(name=name, depends=_depends(steps[name]), tasks=len(_space(steps[name]))) for name in order
        ),
    )


def task_parameters(
    text: str, parameters: Mapping[str, Any], *, step: str, first: int, count: int
) -> list[dict[str, Any]]:
    """Values of a range of a step's tasks, without walking the rest. Raises BadTemplate, BadParameters."""
    job, _ = _create(text, parameters)
    space = _space(_find(job, step))
    return [
        {name: value.value for name, value in space[number].items()}
        for number in range(first, min(first + count, len(space)))
    ]


def runnable(text: str, parameters: Mapping[str, Any], *, step: str, number: int) -> Runnable:
    """One task, ready for a session. Raises BadTemplate, BadParameters."""
    from openjd import model

    template = decode(text)
    values = _values(template, parameters)
    made = _translated(model.create_job_with_symbol_tables, job_template=template, job_parameter_values=values)
    found = _find(made.job, step)
    space = _space(found)
    if not 0 <= number < len(space):
        raise errors.BadTemplate(f"The step {step} has no task {number}.")
    return Runnable(
        name=str(made.job.name),
        step=found,
        step_table=made.step_symbol_tables[step],
        job_table=made.job_symbol_table,
        environments=tuple(made.job.jobEnvironments or ()),
        parameters=values,
        task=space[number],
        revision=model.RevisionExtensions(
            spec_rev=model.SpecificationRevision.v2023_09, supported_extensions=list(template.extensions or ())
        ),
    )


def _create(text: str, parameters: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    return _created(text, tuple(sorted((name, str(value)) for name, value in parameters.items())))


@functools.lru_cache(maxsize=8)
def _created(text: str, parameters: tuple[tuple[str, str], ...]) -> tuple[Any, dict[str, Any]]:
    from openjd import model

    template = decode(text)
    values = _values(template, dict(parameters))
    return _translated(model.create_job, job_template=template, job_parameter_values=values), values


def _values(template: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    from openjd import model

    if any("\0" in str(value) for value in parameters.values()):
        raise errors.BadParameters("A parameter has a zero byte in its value.")
    # Paths belong to the worker that runs the task, so none is made absolute or looked at here.
    values: dict[str, Any] = _translated(
        model.preprocess_job_parameters,
        job_template=template,
        job_parameter_values={name: str(value) for name, value in parameters.items()},
        job_template_dir=Path(),
        current_working_dir=Path(),
        allow_job_template_dir_walk_up=True,
    )
    return values


def _translated(call: Any, **arguments: Any) -> Any:
    from openjd import model

    try:
        return call(**arguments)
    except (ValueError, model.DecodeValidationError, model.FormatStringError, model.ExpressionError) as error:
        raise errors.BadParameters(f"The parameters do not fit the template: {_one_line(error)}") from error


def _find(job: Any, name: str) -> Any:
    for step in job.steps:
        if step.name == name:
            return step
    raise errors.BadTemplate(f"The template has no step {name!r}.")


def _space(step: Any) -> Any:
    from openjd import model

    space = model.StepParameterSpaceIterator(space=step.parameterSpace)
    if space.chunks_adaptive:  # chunks that change their size while running have no numbers; ours keep the first size
        return model.StepParameterSpaceIterator(
            space=step.parameterSpace, chunks_task_count_override=space.chunks_default_task_count
        )
    return space


def _depends(step: Any) -> tuple[str, ...]:
    return tuple(dependency.dependsOn for dependency in step.dependencies or ())


def _ordered(depends: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Names so that each comes after what it waits for, else as written; the library has refused circles already."""
    order: list[str] = []
    while len(order) < len(depends):
        order += [next(name for name, needs in depends.items() if name not in order and set(needs) <= set(order))]
    return order


def _one_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and "validation errors for" not in line]
    return "; ".join(lines)[:600] or type(error).__name__
