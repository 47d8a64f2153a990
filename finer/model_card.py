"""A model card out of a run's store: what was trained, on what, paid how, with which seed, and how often it is right.

Every figure is read from the store; what the store does not hold is not said. Not covered: uploading it anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Any

from finer.accounts import wilson
from finer.errors import FinerError
from finer.ladder import LADDER, policy_spec
from finer.report import first_and_last, is_warm_start
from finer.run_sources import recipe_of_run
from finer.runs import Run
from finer.runs_schema import Evaluation

CURVES = {"reward": "mean reward", "frac_reward_zero_std": "share of groups without a signal", "completions/mean_length": "tokens an answer", "loss": "loss"}
FORM = "`<think>` thought `</think>`, then one SQLite query"
OFFICIAL = {"starter": "made with the workbench; Apache-2.0", "spider": "https://yale-lily.github.io/spider", "bird": "https://bird-bench.github.io"}


def model_card(run: Run, name: str) -> str:
    """The card as Markdown, with the front matter that a hub reads."""
    config = run.config
    parts = [
        _front_matter(config),
        f"# {name}\n\n{_sentence(run)}",
        _figures(run),
        _curves(run),
        _paid(run),
        _data(run),
        _settings(run),
        _asking(config),
        _limits(run),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def base_of(policy: str) -> str:
    """A policy as others know it: its name in the ladder or on the hub, else the end of its folder's path.

    >>> base_of("smollm2-135m"), base_of("/somewhere/runs/warm/policy")
    ('HuggingFaceTB/SmolLM2-135M-Instruct', 'runs/warm/policy')
    """
    if policy in LADDER:
        source = LADDER[policy].source
        return policy if Path(source).is_absolute() else source
    return "/".join(Path(policy).parts[-3:]) if Path(policy).is_absolute() else policy


def _front_matter(config: dict[str, Any]) -> str:
    base = base_of(config.get("policy", ""))
    from_hub = [f"base_model: {base}"] if base.count("/") == 1 and not base.startswith((".", "runs/")) else []
    how = "sft" if config.get("stage") else "grpo"
    return "\n".join(["---", *from_hub, "library_name: transformers", "pipeline_tag: text-generation", f"tags: [text-to-sql, sqlite, {how}, finer-workbench]", "---"])


def _sentence(run: Run) -> str:
    config = run.config
    how = "taught by supervised fine-tuning on traces" if is_warm_start(run) else f"trained by GRPO under the recipe `{_recipe_name(config)}`"
    planned = f" of {config['steps']}" if config.get("steps") and config["steps"] != run.last_step else ""
    lines = [f"`{base_of(config.get('policy', ''))}`, {how}, on {config.get('dataset', 'a data set that is not named')}: {run.last_step}{planned} steps, {run.status}."]
    before = Path(config.get("policy", "")).parent
    if (before / "run.sqlite").is_file():
        lines.append(f"It began from another run: {_sentence(Run(before))}")
    return " ".join(lines)


def _recipe_name(config: dict[str, Any]) -> str:
    file, _, name = config.get("recipe", "").rpartition(":")
    return f"{Path(file).name}:{name}" if file else name or "not named"


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    lines = [list(head), *[[str(cell).replace("|", "\\|") for cell in row] for row in rows]]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _figures(run: Run) -> str:
    rows = []
    for first, last in first_and_last(run.evaluations()):
        rows += [_figure(one) for one in ([first] if first.step == last.step else [first, last]) if one.value is not None]
    if not rows:
        return "## How often it is right\n\nNo question was asked of it in this run."
    note = _note(run.config)
    said = "Greedy answers, each judged on every instance of its database." + (f" Every figure is with a **{note}**." if note else "")
    return f"## How often it is right\n\n{said} One run with one seed: another seed may give another figure.\n\n" + _table(("split", "rule", "step", "right", "95 % interval", "questions"), rows)


def _figure(one: Evaluation) -> list[str]:
    low, high = wilson(one.value * one.n, one.n)
    return [one.split, one.metric, str(one.step), f"{one.value:.1%}", f"{low:.1%} to {high:.1%}", str(one.n)]


def _note(config: dict[str, Any]) -> str:
    try:
        return policy_spec(config.get("policy", "")).note
    except FinerError:  # a folder that is not here any more
        return ""


def _curves(run: Run) -> str:
    metrics, count = run.metrics(), max(1, min(10, run.last_step // 2))
    rows = []
    for name, words in CURVES.items():
        values = [value for _, value in metrics.get(name, []) if value is not None]
        if values and (name != "loss" or is_warm_start(run)):
            rows.append((words, f"{fmean(values[:count]):.3g}", f"{fmean(values[-count:]):.3g}"))
    return "## How training went\n\n" + _table(("", f"steps 1 to {count}", f"steps {run.last_step - count + 1} to {run.last_step}"), rows) if rows else ""


def _paid(run: Run) -> str:
    if is_warm_start(run):
        return ""
    try:
        recipe = recipe_of_run(run)
    except FinerError as error:
        return f"## What an answer was paid for\n\n{error}"
    rows = [(part, f"{recipe.weights[part]:g}") for part in recipe.parts]
    margin = "" if recipe.own else f"\n\nA wrong answer stays at least {recipe.margin:g} below a right one."
    return f"## What an answer was paid for\n\nRecipe `{_recipe_name(run.config)}`: the sum of weight times value.\n\n" + _table(("part", "weight"), rows) + margin


def _data(run: Run) -> str:
    config = run.config
    name = config.get("dataset", "")
    lines = [f"- {name or 'not named'}" + (f" ({OFFICIAL[name]})" if name in OFFICIAL else "") + f", split {config.get('split', 'train')}"]
    lines += [f"- {event.detail}" for event in run.events() if event.kind == "selected"]
    lines += [f"- the policy is shown {config['columns']} columns of a schema, chosen for the question"] if config.get("columns") else []
    return "## Data\n\n" + "\n".join(lines)


def _settings(run: Run) -> str:
    hidden = ("policy", "recipe", "dataset", "data", "weights", "references", "pass_rates", "traces")
    rows = [(f"`{key}`", _plain(value)) for key, value in run.config.items() if key not in hidden and value not in ("", [], {})]
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    seconds = sum(value or 0.0 for step in run.steps() for value in step.seconds.values())
    return f"## Settings\n\nSeed {run.config.get('seed', 'not noted')}. {seconds / 60:.1f} minutes in steps, with {versions}.\n\n" + _table(("setting", "value"), rows)


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)


def _asking(config: dict[str, Any]) -> str:
    return f"""## How to ask it

It answers with {FORM}. Its prompts are the workbench's:

```python
import finer
from finer.prompt import parse_completion

policy, data = finer.load_policy("FOLDER"), finer.load_dataset("{config.get('dataset', 'starter') if config.get('dataset') in OFFICIAL else 'FOLDER'}")
question = data.questions[0]
(text,) = policy.generate([policy.messages(question, data.databases[question.db_id].schema)], 256)
print(parse_completion(text).sql)
```"""


def _limits(run: Run) -> str:
    lines = [
        "- Right is what gives the gold's result on the instances that there are: some answers are right by luck, and some golds are wrong.",
        "- It writes SQLite. Run what it writes read-only and bounded in time; nothing was done to make it refuse a harmful question.",
        f"- The licence of `{base_of(run.config.get('policy', ''))}` and the terms of its training data hold for it too.",
    ]
    lines += [f"- The run is {run.status} after {run.last_step} of {run.config['steps']} steps."] if run.status != "finished" and run.config.get("steps") else []
    lines += ["- What built the prompts that its base was trained with is not public; ours is a reconstruction."] if _note(run.config) else []
    return "## Limits\n\n" + "\n".join(lines)
