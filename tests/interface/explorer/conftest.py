"""What the tests of the explorer share: a page with the published case, at one of its views."""

import pytest

from calcinosis.interface.explorer.session import Session


@pytest.fixture(scope="session")
def jones_at(shipped):
    """A function that opens a page with the published case, at a view."""

    def opened(view):
        session = Session(shipped)
        session.handle({"do": "case", "value": "jones2023"})
        session.handle({"do": "tab", "value": view})
        return session

    return opened
