"""Check that a recorded history is linearizable: that an order of its operations, by the model of an event, explains it.

Each event is an object of its own, and a history is linearizable if and only if each object's part of it is. An
operation takes effect at one instant between its invocation and its response; one that was never answered (its process
was killed, the store was unavailable) at any later instant, or never. The search is that of Wing and Gong with a memory
of the states tried (Lowe). https://www.cs.ox.ac.uk/people/gavin.lowe/LinearizabiltyTesting/paper.pdf
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from webhooks.journal import DROPPABLE, State

NEVER = float("inf")


@dataclass(frozen=True)
class Kept:
    """An event as the model has it. `seq` is 0 until an answer gave it; `since` is when its lease began, at the earliest."""

    seq: int = 0
    state: State = State.PENDING
    lease: str = ""
    since: float = 0.0
    attempts: int = 0
    edition: int = 0


Held = Kept | None
Step = Callable[[Held], list[Held]]
"""The states that an operation may leave, from its initial state; none if it cannot have happened."""


@dataclass(frozen=True)
class Op:
    """One operation as far as it concerns one event. `looks`: by its answer, it changed nothing."""

    begin: float
    end: float
    text: str
    step: Step
    looks: bool = False


def explain(ops: Iterable[Op], start: Held = None) -> str:
    """Return nothing if some order explains the operations; else the longest partial order and what fails there."""
    order = sorted(ops, key=lambda op: (op.begin, op.end))
    every = (1 << len(order)) - 1
    seen: set[tuple[int, Held]] = set()
    stack: list[tuple[int, Held, tuple[int, ...]]] = [(0, start, ())]
    best: tuple[tuple[int, ...], Held] = ((), start)
    while stack:
        done, state, path = stack.pop()
        if (done, state) in seen:
            continue
        seen.add((done, state))
        if len(path) > len(best[0]):
            best = (path, state)
        left = [place for place in range(len(order)) if not done >> place & 1]
        if done == every or all(order[place].end == NEVER for place in left):
            return ""
        horizon = min(order[place].end for place in left)
        nexts = []
        for place in left:
            op = order[place]
            if op.begin > horizon:
                break
            after = op.step(state)
            if op.looks and after == [state]:  # whatever comes of it here comes of it later: put it here
                nexts = [(done | 1 << place, state, (*path, place))]
                break
            nexts += [(done | 1 << place, next_state, (*path, place)) for next_state in after]
        stack += nexts
    return _explanation(order, *best)


def _explanation(order: list[Op], path: tuple[int, ...], state: Held) -> str:
    lines = [f"  {order[place].text}" for place in path]
    left = [order[place] for place in range(len(order)) if place not in path]
    lines += [f"  -- here it is {state}, and none of these can be next:"]
    lines += [f"  ? [{op.begin:.4f} {op.end:.4f}] {op.text}" for op in left[:12]]
    return "\n".join(lines)


@dataclass(frozen=True)
class Rules:
    """What the journal's answers mean to the model. `lease` is in seconds, `slack` what two clocks may differ."""

    lease: float
    slack: float = 0.05

    def op(self, record: Mapping[str, Any], step: Step, text: str, *, looks: bool) -> Op:
        """Return `step` if it was answered; else any of its outcomes or none."""
        end = record.get("end", NEVER)
        if end == NEVER:
            return Op(record["begin"], NEVER, f"{text} (no answer)", lambda held: [*step(held), held])
        return Op(record["begin"], end, text, step, looks)

    def append(self, record: Mapping[str, Any]) -> Step:
        """Return the step of `new` and `duplicate` of a call; in a mixed one, which key was which is not known."""
        answer = record.get("answer")

        def step(held: Held) -> list[Held]:
            if answer and (answer["duplicate"] == 0 or answer["new"] == 0) and (held is None) != (answer["new"] > 0):
                return []
            return [Kept() if held is None else held]

        return step

    def claim(self, record: Mapping[str, Any], claim: Mapping[str, Any] | None) -> Step:
        """Return the step of a claim: the event must be pending, and free or its lease over."""

        def step(held: Held) -> list[Held]:
            if held is None or held.state is not State.PENDING:
                return []
            if held.lease and record.get("end", NEVER) < held.since + self.lease - self.slack:
                return []
            lease = claim["lease"] if claim else f"unknown of {record['id']}"
            taken = replace(held, lease=lease, since=record["begin"])
            if claim is None:
                return [taken]
            if (held.attempts, held.edition) != (claim["attempts"], claim["edition"]) or not _same(held, claim["seq"]):
                return []
            return [replace(taken, seq=claim["seq"])]

        return step

    def settle(self, claim: Mapping[str, Any], ours: bool | None) -> Step:
        """Return the step of a settlement. `ours` says whether the journal settled it; only the current lease can."""

        def step(held: Held) -> list[Held]:
            leased = held is not None and held.state is State.PENDING and held.lease == claim["lease"]
            if ours is not None and ours != leased:
                return []
            if not leased or held is None:
                return [held]
            return [
                replace(
                    held, state=State(claim["state"]), lease="", since=0.0, attempts=held.attempts + claim["attempt"]
                )
            ]

        return step

    def renew(self, record: Mapping[str, Any], claim: Mapping[str, Any], ours: bool | None) -> Step:
        """Return the step of a renewal. `ours` says whether the lease was renewed."""

        def step(held: Held) -> list[Held]:
            leased = held is not None and held.state is State.PENDING and held.lease == claim["lease"]
            if ours is not None and ours != leased:
                return []
            return [replace(held, since=record["begin"])] if leased and held else [held]

        return step

    def operate(self, name: str, seqs: set[int], changed: bool, *, as_new: bool) -> Step:
        """Return the step of a replay or a drop; the audit log says whether it changed this event, by any seq that it had."""

        def step(held: Held) -> list[Held]:
            can = held is not None and held.seq in {0, *seqs} and _changes(name, held.state)
            if not changed:
                return [] if can and held and held.seq else [held]
            if not can or held is None:
                return []
            held = replace(held, seq=held.seq or (min(seqs) if len(seqs) == 1 else 0), lease="", since=0.0)
            if name == "drop":
                return [replace(held, state=State.DROPPED)]
            return [replace(held, state=State.PENDING, attempts=0, edition=held.edition + as_new)]

        return step

    def find(self, row: Mapping[str, Any] | None) -> Step:
        """Return the step of a read."""

        def step(held: Held) -> list[Held]:
            if row is None or held is None:
                return [held] if row is None and held is None else []
            seen = (row["state"], row["attempts"], row["edition"])
            if seen != (held.state.value, held.attempts, held.edition) or not _same(held, row["seq"]):
                return []
            return [replace(held, seq=row["seq"])]

        return step

    def prune(self) -> Step:
        """Return the step of a prune: the event may have been deleted if it is settled."""
        return lambda held: [held] if held is None or held.state is State.PENDING else [None, held]


def _same(held: Kept, seq: int) -> bool:
    return held.seq in {0, seq}


def _changes(name: str, state: State) -> bool:
    return state in DROPPABLE if name == "drop" else state is not State.PENDING


def faults(records: list[dict[str, Any]], audited: Mapping[str, list[str]], *, lease: float) -> list[str]:
    """Return every event whose part of the history no order explains. `audited` has the keys that each operation changed."""
    rules = Rules(lease)
    parts: dict[str, list[Op]] = defaultdict(list)
    names: dict[int, str] = {}
    for record in records:
        for answer in _events(record):
            names[answer["seq"]] = answer["key"]
    keys = {key for record in records if record["op"] == "append" for key in record["keys"]}
    for record in records:
        for key, step, text, looks in _parts(record, rules, audited, names, keys):
            parts[key].append(rules.op(record, step, text, looks=looks))
    return [f"{key}:\n{fault}" for key, ops in sorted(parts.items()) if (fault := explain(ops))]


def _events(record: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    answer = record.get("answer")
    if record["op"] == "claim":
        return answer or ()
    return [answer] if record["op"] == "find" and answer else ()


def _parts(
    record: Mapping[str, Any], rules: Rules, audited: Mapping[str, list[str]], names: Mapping[int, str], keys: set[str]
) -> Iterable[tuple[str, Step, str, bool]]:
    """Yield an operation's part for each event: key, model step, text, and whether it only read."""
    name, answer = record["op"], record.get("answer")
    if name == "append":
        for key in record["keys"]:
            there = answer is not None and answer["new"] == 0
            yield key, rules.append(record), f"append {record['keys']} -> {answer}", there
    elif name == "claim" and answer is not None:
        for claim in answer:
            yield claim["key"], rules.claim(record, claim), f"claim -> {claim}", False
    elif name == "claim":
        for key in keys:
            yield key, rules.claim(record, None), "claim", False
    elif name in {"settle", "renew"}:
        for claim in record["claims"]:
            ours = None if answer is None else claim["seq"] in answer
            step = rules.settle(claim, ours) if name == "settle" else rules.renew(record, claim, ours)
            yield claim["key"], step, f"{name} {claim} -> {ours}", ours is False
    elif name in {"replay", "drop"}:
        changed = audited.get(record["operation"], [])
        for key in {names[seq] for seq in record["seqs"] if seq in names}:
            seqs = {seq for seq in record["seqs"] if names.get(seq) == key}
            was = key in changed
            if answer is None and not was:
                continue  # no answer and no line in the log: it did not happen
            step = rules.operate(name, seqs, was, as_new=record["as_new"])
            yield key, step, f"{name} {sorted(seqs)} -> {was}", not was
    elif name == "find":
        if "end" in record:
            yield record["key"], rules.find(answer), f"find -> {answer}", True
    elif name == "prune":
        for key in keys:
            yield key, rules.prune(), "prune", False
