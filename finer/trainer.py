"""TRL's GRPOTrainer, listened to: every rollout, its parts and its advantage reach the run store.

Differences from plain TRL, none of which changes an update: (1) a step's completions are scored once, by one ``Scorer``,
and TRL's reward functions read their part from it; (2) generation, scoring and update are timed; (3) the step is written
when TRL logs it; (4) a checkpoint gets the memory, the weights and, last, a marker that says it is whole. The callback serves a warm start too, whose recorder has losses
in place of rollouts.

The trainer class is made inside a function, because Unsloth replaces trl's own when it is imported. Works in one process.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from finer.recorder import Controls, LossRecorder, Scored, StepRecorder
from finer.rewards.trl import BatchScorer, completion_of, part_function, questions_of

MARKER = "finer.json"
"""Written last into a checkpoint; a checkpoint without it broke off and is passed over."""


def last_checkpoint(folder: Path) -> Path | None:
    """The latest whole checkpoint of a run, or None."""
    found = [path.parent for path in (folder / "checkpoints").glob(f"checkpoint-*/{MARKER}")]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def use_threads(count: int) -> None:
    """Lets torch work with so many CPU threads; 0: what OMP_NUM_THREADS says, which torch has heeded, else as many as there are."""
    import torch

    if count or "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(count or os.cpu_count() or 1)


def make_trainer(recorder: StepRecorder, **arguments: Any) -> Any:
    """A GRPOTrainer whose steps go through ``recorder``; ``arguments`` as for trl's constructor, less reward_funcs."""
    from transformers import PrinterCallback
    from trl import GRPOTrainer

    batch = BatchScorer(recorder.scorer)

    class ListeningTrainer(GRPOTrainer):
        def _generate_and_score_completions(self, inputs):
            began = time.perf_counter()
            recorder.seconds["scoring"] = 0.0
            output = super()._generate_and_score_completions(inputs)
            spent = time.perf_counter() - began
            recorder.seconds["generation"] = spent - recorder.seconds["scoring"]
            count = len(recorder.pending.completions) if recorder.pending else 0
            recorder.add_groups(self.state.global_step + 1, list(self._logs["advantages"])[-count:])
            self.finer_update_began = time.perf_counter()
            return output

        def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
            began = time.perf_counter()
            columns = {"index": [one["index"] for one in inputs]}
            paid = batch.breakdowns(completions, columns)
            recorder.pending = Scored(
                questions_of(recorder.scorer, len(paid), columns),
                [prompt[-1]["content"] for prompt in prompts],
                [completion_of(completion) for completion in completions],
                [len(ids) for ids in completion_ids_list],
                paid,
            )
            found = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
            recorder.seconds["scoring"] += time.perf_counter() - began
            return found

    functions = [part_function(part, batch) for part in recorder.scorer.recipe.parts]
    trainer = ListeningTrainer(reward_funcs=functions, **arguments)
    trainer.remove_callback(PrinterCallback)  # it would print a dictionary a step, from this thread
    return trainer


def make_callback(recorder: StepRecorder | LossRecorder, controls: Controls, evaluate: Any, tell: Any) -> Any:
    """The callback that writes steps, applies requests, evaluates on time and completes checkpoints.

    Its ``trainer`` is to be set. ``evaluate(step)`` is called after each step; ``tell(step, metrics)`` after each step was written.
    """
    from transformers import TrainerCallback

    class StoreCallback(TrainerCallback):
        trainer: Any = None

        def on_step_begin(self, args, state, control, **_):
            self.trainer.finer_update_began = time.perf_counter()  # GRPO's sets it again, after its rollouts
            controls.apply(state.global_step)

        def on_step_end(self, args, state, control, **_):
            recorder.seconds["update"] = time.perf_counter() - self.trainer.finer_update_began
            controls.apply(state.global_step)
            control.should_log = True  # writes the step; what the requests ask for follows there
            return control

        def on_log(self, args, state, control, logs=None, **_):
            if not recorder.ready:
                return  # TRL's closing summary is no step
            metrics = {name: value for name, value in (logs or {}).items() if isinstance(value, (int, float))}
            recorder.write(state.global_step, metrics)
            tell(state.global_step, metrics)
            evaluate(state.global_step)
            controls.wait_while_paused(state.global_step)
            if controls.checkpoint or controls.stopping:
                control.should_save = True
                controls.checkpoint = False
            control.should_training_stop = control.should_training_stop or controls.stopping

        def on_save(self, args, state, control, **_):
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            marker = {"step": state.global_step, **recorder.save(folder)}
            part = folder / (MARKER + ".part")
            part.write_text(json.dumps(marker), encoding="utf-8")
            part.replace(folder / MARKER)
            recorder.writer.write_event(state.global_step, "saved", folder.name)

    return StoreCallback()
