"""TRL's GRPOTrainer, listened to: every rollout, its parts and its advantage reach the run store.

Differences from plain TRL, none of which changes an update: (1) a step's completions are scored once, by one ``Scorer``,
and TRL's reward functions read their part from it; (2) generation, scoring and update are timed; (3) the step is written
when TRL logs it; (4) a checkpoint gets the memory and, last, a marker that says it is whole; (5) a run that goes on draws its
questions as it would have without a break (TRL begins their order anew at every start); (6) on a CPU, answers are sampled
by ``cpu_generation`` and scored by ``unpadded``: the same distribution and the same values, for less work. The callback serves a warm start
too, whose recorder has losses in place of rollouts.

The trainer class is made inside a function, because Unsloth replaces trl's own when it is imported. Works in one process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from finer import cpu_generation, unpadded
from finer.checkpoints import MARKER, Mark, complete, last_checkpoint
from finer.recorder import Controls, LossRecorder, Scored, StepRecorder
from finer.rewards.trl import BatchScorer, completion_of, part_function, questions_of

__all__ = ["MARKER", "last_checkpoint", "make_callback", "make_trainer", "use_threads"]


def use_threads(count: int) -> None:
    """Lets torch work with so many CPU threads; 0: what OMP_NUM_THREADS says, which torch has heeded, else as many as there are."""
    import torch

    if count or "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(count or os.cpu_count() or 1)


def _with_cpu_rollouts(base: type) -> type:
    """A GRPOTrainer that samples and scores with no needless work where it runs on a CPU, in one process."""
    from accelerate.utils import is_peft_model

    class CpuTrainer(base):
        def _generate_single_turn(self, prompt_ids, *arguments, **named):
            unusual = self.use_vllm or self.args.generation_kwargs or self.min_p or self.repetition_penalty != 1.0
            if unusual or not cpu_generation.serves(self.model):
                return super()._generate_single_turn(prompt_ids, *arguments, **named)
            written = cpu_generation.generate(self.model, prompt_ids, self.max_completion_length, self.eos_token_ids,
                                              self.temperature, self.top_p, self.top_k or 0)  # fmt: skip
            return written, None

        def _get_per_token_logps_and_entropies(self, model, input_ids, attention_mask, logits_to_keep, *arguments, **named):
            if not cpu_generation.serves(self.model) or self.accelerator.num_processes > 1 or named.get("compute_aux_loss"):
                return super()._get_per_token_logps_and_entropies(model, input_ids, attention_mask, logits_to_keep, *arguments, **named)

            def score(decoder, ids, mask, width):
                return self._chunked_logps(decoder, ids, mask, width, compute_entropy=True)[:2]

            whole = self.accelerator.unwrap_model(model)
            decoder = whole.base_model.model if is_peft_model(whole) else whole
            return *unpadded.by_prompt(score, decoder, input_ids, attention_mask, logits_to_keep), None

    return CpuTrainer


class KnowsTiedWeights:
    """Put before a transformers trainer: one that goes on from a checkpoint does not call tied weights missing, which stand once in the file."""

    def _issue_warnings_after_load(self, load_result: Any) -> None:
        tied = getattr(self.model, "_tied_weights_keys", None) or ()  # type: ignore[attr-defined]
        missing = [name for name in load_result.missing_keys if name not in tied]
        super()._issue_warnings_after_load(load_result._replace(missing_keys=missing))  # type: ignore[misc]


def make_trainer(recorder: StepRecorder, epochs_done: int = 0, **arguments: Any) -> Any:
    """A GRPOTrainer whose steps go through ``recorder``; ``arguments`` as for trl's constructor, less reward_funcs.

    ``epochs_done``: how often all questions have been asked before the checkpoint that it will go on from.
    """
    from transformers import PrinterCallback
    from trl import GRPOTrainer

    batch = BatchScorer(recorder.scorer)

    class ListeningTrainer(KnowsTiedWeights, _with_cpu_rollouts(GRPOTrainer)):
        def _get_train_sampler(self, dataset=None):
            sampler = super()._get_train_sampler(dataset)
            for _ in range(epochs_done):
                next(iter(sampler), None)  # each epoch draws its order from the one generator
            return sampler

        def _generate_and_score_completions(self, inputs):
            began = time.perf_counter()
            self.finer_stage = "generation"
            recorder.seconds["scoring"] = 0.0
            output = super()._generate_and_score_completions(inputs)
            spent = time.perf_counter() - began
            recorder.seconds["generation"] = spent - recorder.seconds["scoring"]
            count = len(recorder.pending.completions) if recorder.pending else 0
            recorder.add_groups(self.state.global_step + 1, list(self._logs["advantages"])[-count:])
            self.finer_update_began = time.perf_counter()
            self.finer_stage = "update"
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
    trainer.finer_stage = "evaluation"  # what is being done, should memory not suffice for it
    trainer.remove_callback(PrinterCallback)  # it would print a dictionary a step, from this thread
    return trainer


def make_callback(
    recorder: StepRecorder | LossRecorder, controls: Controls, evaluate: Any, tell: Any, finish: Callable[[], Any] = lambda: None
) -> Any:
    """The callback that writes steps, applies requests, evaluates on time and completes checkpoints.

    Its ``trainer`` is to be set. ``evaluate(step)`` is called after each step; ``tell(step, metrics)`` after each step was
    written; ``finish()`` when the last one is done, before its checkpoint counts as whole.
    """
    import torch
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
            # Answers that are used for several updates are in no checkpoint, so a run can go on only from between two lots.
            between_lots = state.global_step % getattr(args, "num_iterations", 1) == 0
            if state.global_step >= state.max_steps or (between_lots and (controls.checkpoint or controls.stopping)):
                control.should_save = True
                controls.checkpoint = False
            control.should_training_stop = control.should_training_stop or (between_lots and controls.stopping)

        def on_save(self, args, state, control, **_):
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            kept = recorder.save(folder)
            if state.global_step >= state.max_steps:
                finish()
            recorder.writer.write_event(state.global_step, "saved", folder.name)
            complete(folder, Mark(state.global_step, threads=torch.get_num_threads(), **kept))

    return StoreCallback()
