"""Figures that tests measure are printed at the end of the run, whichever process measured them."""

import pytest


@pytest.fixture
def figure(record_property):
    """A function that keeps a line of measured figures for the end of the run."""
    return lambda line: record_property("figure", line)


def pytest_terminal_summary(terminalreporter):
    lines = [
        value
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, value in report.user_properties
        if name == "figure" and report.when == "call"
    ]
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)
