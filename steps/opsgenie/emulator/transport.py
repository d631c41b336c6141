"""Sends requests to an emulator in this process, as if over a wire."""

from __future__ import annotations

from engine.errors import AnswerLost
from steps.exchange import AnswerLate, Request, Response, Transport
from steps.opsgenie.emulator.service import Emulator, delivered

MOST_BYTES = 5 * 1024 * 1024
"""A larger body counts as a lost answer, as over a real wire."""


class EmulatorTransport(Transport):
    """A transport whose only host is an emulator; a late answer lets the emulator's clock run."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def send(self, request: Request, *, timeout: float) -> Response:
        """One request, one response. Raises Unreachable or AnswerLost."""
        delivery = self.emulator.deliver(request)
        if delivery.late >= timeout:
            self.emulator.clock.sleep(timeout)
            raise AnswerLate("No answer came in time.")
        if delivery.late:
            self.emulator.clock.sleep(delivery.late)
        response = delivered(delivery)
        if len(response.body) > MOST_BYTES or "content-encoding" in response.headers:
            raise AnswerLost("The answer is too large or packed.", status=response.status)
        return response

    def close(self) -> None:
        """There is nothing to give back."""
