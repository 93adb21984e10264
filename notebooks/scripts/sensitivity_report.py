"""A folder of tables, figures and a page on how sure a diagnosis is and which rows of the tables it depends on.

python notebooks/scripts/sensitivity_report.py jones2023 FOLDER
python notebooks/scripts/sensitivity_report.py pain=severe warfarin=yes FOLDER
"""

import sys

import calcinosis as cc


def main(words: list[str], folder: str) -> None:
    """Write the report on a published case, or on a patient in finding=value words."""
    model = cc.load()
    named = [word for word in words if "=" not in word]
    findings = dict(word.split("=", 1) for word in words if "=" in word)
    if named:
        case = cc.cases().loc[named[0]]
        findings = {name: value for name, value in case.items() if name in model.names and value} | findings
        model = model.recorded("case_report")
    result = cc.sensitivity.overview(model, findings)
    files = result.save(folder)
    print(result.summary)
    print(f"{len(files)} files; open {folder}/index.html to begin with")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1:-1], sys.argv[-1])
