"""What a reference comes to."""

import pytest

from engine import secrets
from engine.errors import KeyProblem


@pytest.fixture
def resolve():
    """The secret of a reference, which redaction knows before anybody sees it."""

    def resolve(reference):
        learnt = []
        secret = secrets.resolve(reference, learnt.append)
        assert learnt == [secret]
        return secret

    return resolve


@pytest.fixture
def refused():
    """What is said of a reference that gives no secret."""

    def refused(reference):
        with pytest.raises(KeyProblem) as caught:
            secrets.resolve(reference, lambda _: pytest.fail("learnt"))
        return f"{caught.value.message} {caught.value.hint}"

    return refused
