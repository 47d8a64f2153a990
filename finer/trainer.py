"""TRL's GRPOTrainer, listened to: every rollout, its parts and its advantage reach the run store.

Differences from plain TRL, none of which changes an update: (1) a step's completions are scored once, by one ``Scorer``,
and TRL's reward functions read their part from it; (2) generation, scoring and update are timed; (3) the step is written
when TRL logs it; (4) a checkpoint gets the memory and, last, a marker that says it is whole; (5) a run that goes on draws its
questions as it would have without a break (TRL begins their order anew at every start); (6) on a CPU, answers are sampled
by ``cpu_generation`` and scored by ``unpadded``: the same distribution and the same values, for less work. The callback serves a warm start
too, whose recorder has losses in place of rollouts.

The trainer class is made inside a function, because Unsloth replaces trl's own when it is imported. In several processes each does all of
this with the same step before it (``step_scoring``), and the first one writes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from finer import cpu_generation, ranks, unpadded
from finer.checkpoints import MARKER, Mark, complete, last_checkpoint
from finer.ladder import write_style
from finer.policy import Policy
from finer.recorder import Controls, LossRecorder, StepRecorder
from finer.records import RewardBreakdown
from finer.rewards.trl import completion_of, paid_value
from finer.step_scoring import Answer, score_step

__all__ = ["MARKER", "last_checkpoint", "make_callback", "make_trainer", "use_threads"]


def use_threads(count: int) -> None:
    """Lets torch work with so many CPU threads; 0: what OMP_NUM_THREADS says, which torch has heeded, else as many as there are."""
    import torch

    if count or "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(count or os.cpu_count() or 1)


def is_split(trainer: Any) -> bool:
    """Does each rank hold a part of the weights only (FSDP, DeepSpeed's stage 3)?"""
    return trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled


def scores_by_prompt(trainer: Any) -> bool:
    """Does an update read each prompt once for its answers: on a CPU, in one process?"""
    return trainer.accelerator.num_processes == 1 and cpu_generation.serves(trainer.model)


@contextmanager
def whole_weights(trainer: Any) -> Iterator[None]:
    """While open, the policy can answer on every rank, also where each holds a part of the weights. All ranks have to ask the same."""
    if not is_split(trainer):
        yield
        return
    from trl.models.utils import unwrap_model_for_generation

    with unwrap_model_for_generation(trainer.model_wrapped, trainer.accelerator), trainer._dist.summon_full_params(trainer.model_wrapped, recurse=False):
        yield


def save_policy(trainer: Any, policy: Policy, folder: Path) -> None:
    """The trained policy into a folder that ``load_policy`` reads; every rank has to call it."""
    if is_split(trainer):
        trainer.save_model(str(folder))
        if ranks.is_first():
            write_style(policy.spec, folder)
    elif ranks.is_first():
        policy.save(folder)


def _with_cpu_rollouts(base: type) -> type:
    """A GRPOTrainer that samples and scores with no needless work where it runs on a CPU, in one process."""
    from accelerate.utils import is_peft_model

    class CpuTrainer(base):
        def _generate_single_turn(self, prompt_ids, *arguments, **named):
            unusual = self.use_vllm or self.args.generation_kwargs or self.min_p or self.repetition_penalty != 1.0 or is_split(self)
            if unusual or not cpu_generation.serves(self.model):
                return super()._generate_single_turn(prompt_ids, *arguments, **named)
            written = cpu_generation.generate(self.model, prompt_ids, self.max_completion_length, self.eos_token_ids,
                                              self.temperature, self.top_p, self.top_k or 0)  # fmt: skip
            return written, None

        def _prepare_inputs(self, generation_batch):
            before = self._buffered_inputs
            inputs = super()._prepare_inputs(generation_batch)
            lots = self._buffered_inputs
            if lots is before or len(lots) == 1 or self.loss_type == "bnpo" or not scores_by_prompt(self):
                return inputs  # (bnpo's loss is a mean over a lot, so that it hangs on what meets there)
            self._buffered_inputs = unpadded.prompts_together(lots)
            return self._buffered_inputs[self._step % len(lots)]

        def _get_per_token_logps_and_entropies(self, model, input_ids, attention_mask, logits_to_keep, *arguments, **named):
            if not scores_by_prompt(self) or named.get("compute_aux_loss"):
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


def listening(base: type, recorder: StepRecorder, paid: list[RewardBreakdown], epochs_done: int = 0) -> type:
    """``base``, which is TRL's GRPOTrainer or what Unsloth has made of it, as the class whose steps go through ``recorder``.

    ``paid`` is filled with what this process's completions of a step earn.
    """
    class ListeningTrainer(KnowsTiedWeights, _with_cpu_rollouts(base)):
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
            rows = zip(inputs, prompts, completions, completion_ids_list, strict=True)
            answers = [Answer(row["index"], prompt[-1]["content"], completion_of(text), len(ids)) for row, prompt, text, ids in rows]
            recorder.pending, paid[:] = score_step(recorder.scorer, answers)
            found = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
            recorder.seconds["scoring"] += time.perf_counter() - began
            return found

    return ListeningTrainer


def make_trainer(recorder: StepRecorder, epochs_done: int = 0, **arguments: Any) -> Any:
    """A GRPOTrainer whose steps go through ``recorder``; ``arguments`` as for trl's constructor, less reward_funcs.

    ``epochs_done``: how often all questions have been asked before the checkpoint that it will go on from.
    """
    from transformers import PrinterCallback
    from trl import GRPOTrainer

    paid: list[RewardBreakdown] = []
    functions = [_reads(part, paid) for part in recorder.scorer.recipe.parts]
    trainer = listening(GRPOTrainer, recorder, paid, epochs_done)(reward_funcs=functions, **arguments)
    trainer.finer_stage = "evaluation"  # what is being done, should memory not suffice for it
    trainer.remove_callback(PrinterCallback)  # it would print a dictionary a step, from this thread
    return trainer


def _reads(part: str, paid: list[RewardBreakdown]) -> Callable[..., list[float | None]]:
    """One part as a reward function of its name, whose completions have been scored."""
    def reward(**_: Any) -> list[float | None]:
        return [paid_value(answer, part) for answer in paid]

    reward.__name__ = part
    return reward


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
            ranks.gathered(None)  # every rank has put its random numbers there
            kept = recorder.save(folder) if ranks.is_first() else {}
            if state.global_step >= state.max_steps:
                finish()
            recorder.writer.write_event(state.global_step, "saved", folder.name)
            if ranks.is_first():
                complete(folder, Mark(state.global_step, threads=torch.get_num_threads(), processes=ranks.count(), **kept))

    return StoreCallback()
