"""The rules by example: each vector was worked out by hand from the rule book."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from credits import audits
from tests.golden import shape
from tests.golden.adjustment_replaying import AdjustedLegacyReplay, AdjustmentReplay
from tests.golden.batch_replaying import BatchReplay, PlanBatchReplay
from tests.golden.draft_replaying import DraftReplay
from tests.golden.legacy_replaying import LegacyReplay
from tests.golden.plan_replaying import PlanReplay
from tests.golden.queue_replaying import QueueReplay
from tests.golden.reload_replaying import ReloadReplay
from tests.golden.replaying import Replay
from tests.golden.statement_replaying import StatementReplay

VECTORS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(Path(__file__).with_name("vectors").glob("*.json"))
}
LEDGER_CHECKS = ("I1 ", "I2 ", "I3 ", "I4 ")
RULES = {
    *(f"R{n}" for n in range(1, 11)),
    *(f"R{n}" for n in range(20, 36)),
    "R36",
    *(f"R{n}" for n in range(38, 42)),
    *(f"R{n}" for n in range(42, 58)),
    *("R87", "R95", "R96", "R97", "R106", "R107", "R108", "R109", "R110"),
    *(f"R{n}" for n in range(11, 20)),
    *(f"R{n}" for n in range(58, 65)),
    *("R66", "R67"),
    *(f"R{n}" for n in range(68, 76)),
    "R65",
    *(f"R{n}" for n in range(76, 83)),
    *(f"R{n}" for n in range(83, 87)),
    *("R91", "R92", "R93", "R94", "R98"),
    *("R100", "R101"),
}
# What a vector need not say: everything else that it leaves out is not compared.
UNSAID = {
    "balance": {"debt": 0},
    "grants": {"held": 0, "frozen": False},
    "entries": {"credits": 0, "held": 0, "frozen": 0, "debt": 0, "draws": []},
    "draws": {"credits": 0, "held": 0, "frozen": 0},
}


@pytest.mark.django_db
@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_comes_out_as_the_rule_says(vector, request):
    replay = replay_of(vector, request)

    replay.run(vector["commands"])

    outcome, expect = replay.outcome(), complete(vector["expect"])
    assert part_by_part(outcome, expect) == expect
    # R110: whatever it was about, every figure is the sum of the ledger.
    posted = outcome["balance"]["posted"]
    assert outcome["statement"][0][2] == posted
    assert sum(grant["remaining"] for grant in outcome["grants"]) == posted
    # Without a plan, billing's own checks would ask who paid for these grants.
    checks = "" if "plan" in vector["given"] else LEDGER_CHECKS
    assert [f for f in audits.verify() if f.check.startswith(checks)] == []
    if "plan" in vector["given"]:
        assert replay.wrong_books() == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["R10-four-figures", "R74-captured-twice"])
def test_every_figure_counts(name):
    """One number changed in what is expected, and the vector fails."""
    vector = VECTORS[name]
    replay = Replay(vector["given"])
    replay.run(vector["commands"])
    outcome = replay.outcome()

    forgeries = list(forged(vector["expect"]))

    assert len(forgeries) > 10
    for forgery in map(complete, forgeries):
        assert part_by_part(outcome, forgery) != forgery


class TestVectors:
    @pytest.mark.parametrize("name", VECTORS)
    def test_say_nothing_that_nobody_understands(self, name):
        assert shape.problems(VECTORS[name]) == []

    @pytest.mark.parametrize("name", VECTORS)
    def test_are_named_by_their_rule(self, name):
        assert name.split("-", 1)[0] == VECTORS[name]["rule"]

    def test_there_is_one_for_every_rule(self):
        assert {vector["rule"] for vector in VECTORS.values()} == RULES

    def test_a_word_too_many_is_noticed(self):
        [vector] = [v for n, v in VECTORS.items() if n == "R4-wider-than-one-grant"]

        found = shape.problems({**vector, "comand": []})

        assert found == ["vector has an unknown comand"]


def replay_of(vector: dict, request) -> Replay:
    """Return what replays a vector: one of a plan has a Stripe beside it."""
    settings = request.getfixturevalue("settings")
    for name, value in vector["given"].get("settings", {}).items():
        setattr(settings, name, value)
    if {"batches", "staff"} & vector["given"].keys():
        return replay_of_staff(vector["given"], request)
    if "packs" in vector["given"]:
        return LegacyReplay(vector["given"], request.getfixturevalue("wire"))
    if "reload" in vector["given"]:
        return ReloadReplay(vector["given"], request.getfixturevalue("wire"))
    if "plan" in vector["given"]:
        kind = QueueReplay if "queue" in vector["expect"] else PlanReplay
        return kind(vector["given"], request.getfixturevalue("wire"))
    if "periods" in vector["given"]:
        return StatementReplay(vector["given"])
    is_drafted = any(command["do"] == "draft_rates" for command in vector["commands"])
    return (DraftReplay if is_drafted else Replay)(vector["given"])


def replay_of_staff(given: dict, request) -> Replay:
    if "packs" in given:
        return AdjustedLegacyReplay(given, request.getfixturevalue("wire"))
    if "plan" in given:
        return PlanBatchReplay(given, request.getfixturevalue("wire"))
    return (BatchReplay if "batches" in given else AdjustmentReplay)(given)


def complete(expect: dict) -> dict:
    """Add what goes without saying."""
    return {
        "balance": UNSAID["balance"] | expect["balance"],
        "grants": [UNSAID["grants"] | grant for grant in expect["grants"]],
        "entries": [entry_with_draws(entry) for entry in expect["entries"]],
        "refusals": expect.get("refusals", []),
        "replays": expect.get("replays", []),
    } | {
        part: expect[part]
        for part in (
            "quotes",
            "holds",
            "statement",
            "plan",
            "bills",
            "changes",
            "notices",
            "free_videos",
            "disputes",
            "warnings",
            "periods",
            "instants",
            "reloads",
            "refunds",
            "moved",
            "closing",
            "accounts",
            "breakage",
            "adjustments",
            "batches",
            "queue",
        )
        if part in expect
    }


def entry_with_draws(entry: dict) -> dict:
    whole = UNSAID["entries"] | entry
    return whole | {"draws": [UNSAID["draws"] | draw for draw in whole["draws"]]}


def forged(value):
    """Copies of an expectation, each with another of its numbers one too high."""
    if type(value) is int:
        yield value + 1
    elif isinstance(value, dict | list):
        places = value if isinstance(value, dict) else range(len(value))
        for place in places:
            for other in forged(value[place]):
                copy = value.copy()
                copy[place] = other
                yield copy


def part_by_part(outcome: dict, expect: dict) -> dict:
    return {part: said(outcome[part], wanted) for part, wanted in expect.items()}


def said(outcome, wanted):
    """Return of an outcome what the expectation speaks of, with its times as text."""
    if isinstance(outcome, datetime):
        same = isinstance(wanted, str) and datetime.fromisoformat(wanted) == outcome
        return wanted if same else outcome.isoformat()
    if isinstance(outcome, list) and isinstance(wanted, list):
        padded = wanted + [None] * (len(outcome) - len(wanted))
        return [said(*pair) for pair in zip(outcome, padded, strict=False)]
    if isinstance(outcome, dict) and isinstance(wanted, dict):
        return {name: said(outcome.get(name), wanted[name]) for name in wanted}
    return outcome
