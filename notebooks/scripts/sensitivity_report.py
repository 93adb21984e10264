"""A folder of tables, figures and a page on how sure a diagnosis is and what it hangs on.

python notebooks/scripts/sensitivity_report.py jones2023 FOLDER
python notebooks/scripts/sensitivity_report.py pain=severe warfarin=yes FOLDER
"""

import sys
from pathlib import Path

from calcinosis.interface.reports.sensitivity import sensitivity_report

import calcinosis as cc
from calcinosis.interface.reports.page import write_report
from calcinosis.interface.shell.patients import published_case, read_words


def main(words: list[str], folder: Path) -> None:
    """Write the report on a published case, or on a patient in finding=value words."""
    model = cc.load()
    case = next((word for word in words if "=" not in word), None)
    known, published = published_case(case, None, model) if case else ({}, {"record": "asked"})
    model = model.recorded(published["record"])
    patient = known | read_words([word for word in words if "=" in word])
    found = cc.sensitivity.overview(model, patient)
    files = write_report(sensitivity_report(found, case or "One patient"), folder)
    print(found.summary)
    print(f"{len(files)} files; open {folder / 'index.html'} to begin with")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1:-1], Path(sys.argv[-1]))
