"""Stripe's own clients and a stranger's program find a Stripe here.

Their calls were recorded (`recording.py`) and are sent again byte for byte.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.sandbox.recording import facts_of, replay

RECORDINGS = sorted((Path(__file__).parent / "recorded").glob("*.json"))


def read(name: str) -> dict:
    return json.loads((Path(__file__).parent / "recorded" / f"{name}.json").read_text())


class TestReplay:
    @pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
    def test_answers_as_it_did_the_program(self, wire, file):
        recording = json.loads(file.read_text())
        wire.at(datetime.fromtimestamp(recording["at"], UTC))

        answers = list(replay(recording, wire.sandbox.handle))

        expected = [(call["status"], call["facts"]) for call, _, _ in answers]
        assert [(status, facts_of(answer)) for _, answer, status in answers] == expected
        assert len(answers) == len(recording["calls"]) > 20


class TestRecordings:
    def test_are_of_two_languages_and_the_command_line(self):
        agents = {
            call["headers"]["user-agent"].split("/")[1].split(" ")[-1]
            for file in RECORDINGS
            for call in json.loads(file.read_text())["calls"]
        }

        assert agents == {"NodeBindings", "PythonBindings", "stripe-cli"}

    def test_have_requests_without_a_version(self):
        calls = read("stripe-cli")["calls"]

        assert not any("stripe-version" in call["headers"] for call in calls)

    def test_spell_arrays_in_both_ways(self):
        bodies = "".join(
            call["body"] + call["target"] for call in read("stripe-cli")["calls"]
        )

        assert "expand[]=" in bodies
        assert "items[0][price]=" in bodies
