"""Carries out `circle.*`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from commands.circle import CircleTasks
from commands.handlers.circle.explaining import explain
from commands.handlers.circle.patching import heads, patch, sweep
from commands.handlers.circle.probing import probe
from workbench.circles.forward import predict
from workbench.circles.tasks import TASKS, TaskName, ask
from workbench.errors import UsageError
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.verbs import Outcome

__all__ = ["explain", "heads", "patch", "probe", "sweep", "tasks"]


def tasks(query: CircleTasks, lab: Lab) -> Outcome:
    """Every problem of one task or both, with what the model says; a task its tokens do not allow is told."""
    names: list[TaskName] = list(TASKS) if query.task == "both" else [query.task]
    rows, figures = [], []
    for name in names:
        try:
            row = _answered(name, query, lab)
        except UsageError as error:
            if query.task != "both":
                raise
            row = {"task": name, "status": "not possible", "why": f"{error.message}. {error.hint}"}
        rows.append(row)
        if row["status"] == "ok":
            figures.append(_figure(row))
    return Outcome({"model": lab.model.name, "tasks": rows}, figures)


def _answered(name: TaskName, query: CircleTasks, lab: Lab) -> dict[str, Any]:
    asked = ask(lab.model, name, query.preamble, query.space)
    problems = asked.task.problems
    lab.tick(0, 1, f"asking {len(problems)} problems of {name}")
    said = predict(lab.model, asked.prompts, range(len(problems)), asked.answers)
    likeliest = said.answers.argmax(axis=1)
    right = [int(answer) == problem.target for answer, problem in zip(likeliest, problems, strict=True)]
    of_all = [int(top) == asked.answers[problem.target] for top, problem in zip(said.top, problems, strict=True)]
    short = [
        (int(answer) - problem.target) % asked.task.period
        for answer, problem, good in zip(likeliest, problems, right, strict=True)
        if not good
    ]
    return {
        "task": name,
        "status": "ok",
        "problems": len(problems),
        "right": sum(right),
        "right_of_all_tokens": sum(of_all),
        "chance": len(problems) // asked.task.period,
        "prompt": f"{asked.preamble} {problems[0].prompt}".strip(),
        "preamble": asked.preamble,
        "leading_space": asked.space,
        "answers": list(asked.pieces),
        "names": list(asked.task.names),
        "said": [[int(likeliest[a * asked.task.period + b]) for b in range(asked.task.period)]
                 for a in range(asked.task.period)],
        "off_by": {str(step): count for step, count in sorted(Counter(short).items())},
    }  # fmt: skip


def _figure(row: dict[str, Any]) -> Figure:
    period = len(row["names"])
    wrong = [[int(row["said"][a][b] != (a + b + 1) % period) for b in range(period)] for a in range(period)]
    data = {"rows": row["names"], "columns": [str(b + 1) for b in range(period)], "values": wrong}
    title = f"Wrong answers, {row['task']}: {row['problems'] - row['right']} of {row['problems']}"
    return Figure(kind="matrix", title=title, x_label="steps", y_label="name", data=data)
