"""A provider that has several jobs at once, each known by what it shows: for storyboards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.fake_server import Act, Asked
from tests.support.protocols_video import DONE, FAILED, WORKING, Provider, Runway


@dataclass(frozen=True)
class Shots(Runway):
    """Runway, whose jobs are numbered as they come. `states`: what it says of a job by its prompt, else it is done."""

    states: dict[str, Any] = field(default_factory=dict)
    prompts: list[str] = field(default_factory=list)

    def answer(self, asked: Asked, provider: Provider) -> Act:
        if asked.method == "POST":
            prompt = self.prompt_in(asked)

            def taken() -> Act:
                self.prompts.append(prompt)
                return Act(body={"id": f"job-{len(self.prompts)}"})

            return provider.take(asked, taken)
        name = asked.path.rpartition("/")[2]
        if asked.method == "DELETE":
            provider.called_off.append(asked)
            return Act(status=204, body="")
        provider.looks.append(asked)
        state = self.states.get(self.prompts[int(name.removeprefix("job-")) - 1], DONE)
        told: dict[str, Any] = {
            WORKING: {"status": "RUNNING", "progress": 0.4},
            DONE: {"status": "SUCCEEDED", "output": [provider.file_url], "cost": {"credits": 60}},
            FAILED: {"status": "FAILED", "failure": "the oven was cold", "failureCode": "INTERNAL"},
        }[state]
        return Act(body={"id": name, **told})
