"""An edited answer and its group: the records, and what the group would have been with it. Plain and pure.

Not covered: scoring an edit and keeping it (``edits``), drawing it (``render.edits``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from finer.advantages import advantages, scored_total
from finer.errors import FinerError
from finer.prompt import parse_completion
from finer.records import Group, RewardBreakdown, Rollout


@dataclass(frozen=True)
class Edit:
    """One edited answer, or a further one, and what it was paid."""

    edit_id: int
    group_id: int
    parent: int | None
    """The rollout in whose place it stands; None: it joins the group as a further answer."""
    completion: str
    breakdown: RewardBreakdown
    at: float = 0.0
    """When it was scored, in seconds since 1970."""


@dataclass(frozen=True)
class EditedGroup:
    """A group as it was, and as it would have been; advantages of both by the same formula."""

    edit: Edit
    was: Group
    now: Group
    child: Rollout
    """The edit among the answers of ``now``; its rollout id is below zero, since no run holds it."""

    def apart(self) -> Group:
        """``now`` under an id below zero, since no run holds it."""
        number = -self.edit.edit_id
        return replace(self.now, group_id=number, rollouts=tuple(replace(one, group_id=number) for one in self.now.rollouts))

    def place(self, rollout: Rollout, group: Group) -> int | None:
        """An answer's rank by total in one of the two groups, 1 being the best paid; equal totals share it. None: not in it."""
        if all(one.rollout_id != rollout.rollout_id for one in group.rollouts):
            return None
        return 1 + sum(one.breakdown.total > _total_in(rollout, group) + 1e-9 for one in group.rollouts)


def _total_in(rollout: Rollout, group: Group) -> float:
    return next(one.breakdown.total for one in group.rollouts if one.rollout_id == rollout.rollout_id)


def apply_edit(group: Group, edit: Edit, scale_rewards: str = "group") -> EditedGroup:
    """The group with the edit in it, and all advantages anew. FinerError where the answer it was made from is not in the group."""
    parents = [rollout for rollout in group.rollouts if rollout.rollout_id == edit.parent]
    if edit.parent is not None and not parents:
        raise FinerError(f"edit {edit.edit_id} was made from answer {edit.parent}, which group {group.group_id} does not hold")
    place = parents[0].position if parents else max((rollout.position for rollout in group.rollouts), default=-1) + 1
    child = Rollout(-edit.edit_id, group.step, group.group_id, place, edit.completion, edit.breakdown, None)
    kept = [child if rollout.rollout_id == edit.parent else rollout for rollout in group.rollouts]
    now = _with_advantages(replace(group, rollouts=tuple(kept if parents else [*kept, child])), scale_rewards)
    (child,) = [rollout for rollout in now.rollouts if rollout.rollout_id == child.rollout_id]
    return EditedGroup(edit, _with_advantages(group, scale_rewards), now, child)


def _with_advantages(group: Group, scale_rewards: str) -> Group:
    found = advantages([scored_total(rollout.breakdown) for rollout in group.rollouts], scale_rewards)
    return replace(group, rollouts=tuple(replace(one, advantage=value) for one, value in zip(group.rollouts, found, strict=True)))


def draft(rollout: Rollout | None) -> tuple[str, str]:
    """Thought and SQL of an answer, to begin an edit with; where it has no SQL, what it wrote after its thought."""
    if rollout is None:
        return "", ""
    paid = rollout.breakdown
    return paid.thought, paid.sql or parse_completion(rollout.completion).sql
