"""Every message of the first floor, word for word: `file:line: column: value: what is wrong: how to fix it`."""
# ruff: noqa: E501 - a message stands on one line here as it does on the screen

import ast
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from calcinosis import knowledge
from calcinosis.knowledge.cases import check_cases, read_cases
from calcinosis.knowledge.folder import chosen_folder
from calcinosis.knowledge.ledger import read_ledger
from calcinosis.knowledge.number import NotANumber
from calcinosis.knowledge.problem import PriorsError, Problem, Reporter
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.revise import revised

FOLDER = object()
V, S, U, C, K, X, T = (
    f"{n}.csv" for n in ("variables", "states", "units", "corrections", "sources", "expectations", "tests")
)
D, F, W = (f"tables/{name}.csv" for name in ("disease", "fever", "swab"))
P = "cases/published_cases.csv"

SIGNS = list("abcdefghijklmnopq")
"""Seventeen variables, each with a sound table, that a careless header makes the parents of the fever."""
WIDE = {f"tables/{sign}.csv": "no,yes,weight,source,note\n0.5,0.5,9,smith2020,\n" for sign in SIGNS} | {
    V: ("fever,Fever", "".join(f"{sign},{sign},history,no,,\n" for sign in SIGNS) + "fever,Fever"),
    S: ("fever,no,", "".join(f"{sign},{state},,,,\n" for sign in SIGNS for state in ("no", "yes")) + "fever,no,"),
    F: f"{','.join(SIGNS)},no,yes,weight,source,note\n{'no,' * len(SIGNS)}0.2,0.8,10,smith2020,\n",
}


TWO_PARENTS = """\
disease,age,no,yes,weight,source,note
flu,young,0.2,0.8,10,smith2020,
flu,old,0.3,0.7,10,smith2020,
flu,young/old,0.4,0.6,10,smith2020,
cold,young,0.9,0.1,10,smith2020,
"""
AGE = "young,old,oldest,weight,source,note\n0.3,0.5,0.2,9,smith2020,\n"


def one_test(test="swab", label="Swab", reveals="swab", cost="5", harm="0.1", days="1", source="smith2020", after=""):
    """A file of tests with one row."""
    return f"test,label,reveals,cost,harm,days,source,after\n{test},{label},{reveals},{cost},{harm},{days},{source},{after}\n"


A, R, H, Y = (f"decisions/{name}.csv" for name in ("actions", "responses", "harms", "utilities"))

DECISIONS = {
    T: one_test(),
    A: """\
action,label,tests,meanwhile,when,source,note
rest,Rest,,,,smith2020,
pill,Pill,,,fever=yes,smith2020,
swab_first,Swab first,swab,pill,,smith2020,
""",
    R: """\
action,subtype,bad,good,weight,source,note
rest,flu,0.4,0.6,10,smith2020,
pill,flu,0.2,0.8,10,smith2020,
rest;pill,cold,0.1,0.9,10,smith2020,
""",
    H: "action,harm,probability,weight,source,note\npill,rash,0.1,10,smith2020,\n",
    Y: """\
item,kind,subtype,label,value,source,note
bad,outcome,,,0,smith2020,
good,outcome,,,100,smith2020,
rash,harm,,,5,smith2020,
test_complication,harm,,,3,smith2020,
day,delay,,,1,smith2020,
""",
}
"""The files of a small decision, to be put beside the small folder."""


def deciding(*changes, **files):
    """The files of the small decision with texts changed: file, old text and new text, or whole files by name."""
    found = dict(DECISIONS)
    for file, old, new in changes:
        assert found[file].count(old) == 1, f"{old!r} stands {found[file].count(old)} times in {file}"
        found[file] = found[file].replace(old, new)
    return found | {f"decisions/{name}.csv": text for name, text in files.items()}


# fmt: off
REPORTED = "record,variable,state,mentioned,weight,source,note\nletter,fever,any,0.5,7,smith2020,\n"

GOLDEN = {
    "rates of what says nothing by silence": ({"reporting.csv": f"{REPORTED}letter,disease,any,0.5,7,smith2020,\nletter,swab,any,0.5,7,smith2020,\n"},
        "reporting.csv:3: variable: disease: the outcome, which is what is asked for: remove the row",
        "reporting.csv:4: variable: swab: a repeatable variable: silence on a test is not silence on its result: remove the row"),
    "rate that is certain": ({"reporting.csv": REPORTED.replace("0.5", "1")},
        "reporting.csv:2: mentioned: 1: a rate outside 0 to 1, or all but certain: write a number from 1e-09 to 1 - 1e-09"),
    "decisions in no files": ({"decisions": FOLDER},
        "decisions/actions.csv:1: -: -: the file is missing: put it back, or copy it from the shipped priors with 'calcinosis init'",
        "decisions/utilities.csv:1: -: -: the file is missing: put it back, or copy it from the shipped priors with 'calcinosis init'"),
    "decisions in a file": ({"decisions": "treat"},
        "decisions/actions.csv:1: -: -: the file cannot be read (Not a directory): make it a readable file",
        "decisions/utilities.csv:1: -: -: the file cannot be read (Not a directory): make it a readable file"),
    "decisions in a misspelt folder": ({"decision": FOLDER},
        "decision:1: -: decision: a file that is not read: did you mean 'decisions'?"),
    "decisions in a file that is not read": (deciding(harm="", notes=""),
        "decisions/harm.csv:1: -: harm.csv: a file that is not read: take it out; these are read: actions.csv, responses.csv, harms.csv, utilities.csv",
        "decisions/notes.csv:1: -: notes.csv: a file that is not read: take it out; these are read: actions.csv, responses.csv, harms.csv, utilities.csv"),
    "responses in a misspelt file": (deciding(response="") | {R: None},
        "decisions/response.csv:1: -: response.csv: a file that is not read: did you mean 'responses.csv'?",
        "decisions/responses.csv:1: -: -: the file is missing: put it back, or copy it from the shipped priors with 'calcinosis init'"),
    "no actions": (deciding(actions="action,label,source\n"),
        "decisions/actions.csv:1: -: -: no rows under the header: write one line per row"),
    "actions without a column": (deciding((A, "meanwhile", "meanwhyle"), (A, "label", "labels")),
        "decisions/actions.csv:1: label: -: the column is missing: add it to the header",
        "decisions/actions.csv:1: labels: -: unknown column: did you mean 'label'?",
        "decisions/actions.csv:1: meanwhyle: -: unknown column: remove the column"),
    "one action without tests": (deciding(actions="action,label,source\nrest,Rest,smith2020\n", responses=DECISIONS[R].replace("pill,flu", "rest,flu").replace("rest;pill", "rest"), harms=None),
        "decisions/actions.csv:1: -: -: fewer than two actions without tests: a decision needs two things that can be done",
        "decisions/responses.csv:3: action, subtype: rest, flu: the same as on line 2: remove one of the two"),
    "action without a name or label": (deciding((A, "swab_first,Swab first", ",")),
        "decisions/actions.csv:4: action: -: the cell is empty: give it a name of its own",
        "decisions/actions.csv:4: label: -: the cell is empty: write the name a reader would use"),
    "action with an unknown test": (deciding((A, "swab,pill", "swap;swab/x,pill")),
        "decisions/actions.csv:4: tests: swap: no such test: did you mean 'swab'? One of: swab",
        "decisions/actions.csv:4: tests: x: no such test: write one of: swab"),
    "action with something meanwhile": (deciding((A, "Rest,,,", "Rest,,pill,"), (A, "swab,pill", "swab,pil")),
        "decisions/actions.csv:2: meanwhile: pill: no result is awaited: name tests, or leave the cell empty",
        "decisions/actions.csv:4: meanwhile: pil: no action without tests: did you mean 'pill'? One of: rest, pill"),
    "action when nothing can be found": (deciding((A, "fever=yes", "fever;disease=flu;fever=ys")),
        "decisions/actions.csv:3: when: disease: no variable that can be seen: write one of: fever, swab",
        "decisions/actions.csv:3: when: fever: no finding: write it as variable=state, with ';' between several",
        "decisions/actions.csv:3: when: ys: not a state of fever: did you mean 'yes'? One of: no, yes"),
    "utility out of range": (deciding((Y, ",100,", ",101,"), (Y, "rash,harm,,,5", "rash,harm,,,-5")),
        "decisions/harms.csv:2: harm: rash: no harm of utilities.csv: none is defined",
        "decisions/responses.csv:1: good: -: an outcome without a value in utilities.csv: write one of: bad",
        "decisions/utilities.csv:3: value: 101: a value above 100: write points from 0 to 100",
        "decisions/utilities.csv:4: value: -5: a value below 0: write points from 0 to 100"),
    "utility of nothing": (deciding((Y, "good,outcome", ",outcom")),
        "decisions/responses.csv:1: good: -: an outcome without a value in utilities.csv: write one of: bad",
        "decisions/utilities.csv:3: item: -: the cell is empty: name an outcome, a harm or a delay",
        "decisions/utilities.csv:3: kind: outcom: no kind of value: did you mean 'outcome'? One of: outcome, harm, delay"),
    "utility of two kinds": (deciding((Y, "rash,harm,,,5", "rash,harm,,,5,smith2020,\nrash,delay,flu,,5")),
        "decisions/utilities.csv:5: kind: delay: elsewhere it is of the kind harm: give it one kind",
        "decisions/utilities.csv:7: item: day: a second delay: a folder has one; give it rows for single subtypes"),
    "utility in no subtype": (deciding((Y, "day,delay,", "day,delay,flue")),
        "decisions/utilities.csv:6: subtype: flue: no such subtype: did you mean 'flu'? One of: flu, cold"),
    "utility by judgement": (deciding((Y, "day,delay,,,1,smith2020", "day,delay,,,1,judgement")),
        "decisions/utilities.csv:6: note: -: a judgement without its reasoning: say in the note what it rests on"),
    "utility twice": (deciding((Y, "day,delay", "rash,harm,,,4,smith2020,\nday,delay")),
        "decisions/utilities.csv:6: item, subtype: rash,: the same as on line 4: remove one of the two"),
    "utility in some subtypes": (deciding((Y, "good,outcome,", "good,outcome,flu"), (Y, "test_complication,harm,,,3,smith2020,\n", "")),
        "decisions/utilities.csv:1: item: good: no value in cold: add a row for it, with an empty subtype if it holds for all",
        "decisions/utilities.csv:1: item: test_complication: no value in flu, cold: add a row for it, with an empty subtype if it holds for all"),
    "utility that nothing leads to": (deciding((Y, "day,delay", "best,outcome,,,100,smith2020,\nday,delay")),
        "decisions/utilities.csv:6: item: best: no column of responses.csv: write one of: bad, good"),
    "no responses": (deciding(responses="action,subtype,bad,good,weight,source,note\n"),
        "decisions/responses.csv:1: action: pill: an action without responses: add a row for it in each subtype",
        "decisions/responses.csv:1: action: rest: an action without responses: add a row for it in each subtype"),
    "responses of one outcome": (deciding((R, "bad,good,weight", "good,weight"), (R, "0.4,0.6,10", "1,10"), (R, "0.2,0.8,10", "1,10"), (R, "0.1,0.9,10", "1,10")),
        "decisions/responses.csv:1: -: -: fewer than two outcomes: add a column for each way it may end"),
    "responses without a column": (deciding((R, "subtype", "subtypes")),
        "decisions/responses.csv:1: subtype: -: the column is missing: add it to the header",
        "decisions/responses.csv:1: subtypes: -: an outcome without a value in utilities.csv: write one of: bad, good"),
    "responses that do not add up": (deciding((R, "0.2,0.8", "0.2,0.7")),
        "decisions/responses.csv:3: bad, good: 0.9: the probabilities do not sum to 1: change them so that they sum to 1"),
    "response of nobody": (deciding((R, "rest;pill,cold", "rest;pil;swab_first;rest,cold"), (R, "rest,flu", ",flue")),
        "decisions/responses.csv:1: action, subtype: pill, cold: no row for this combination: add a row for it",
        "decisions/responses.csv:1: action, subtype: rest, flu: no row for this combination: add a row for it",
        "decisions/responses.csv:2: action: -: the cell is empty: write one of: rest, pill",
        "decisions/responses.csv:2: subtype: flue: no such subtype: did you mean 'flu'? One of: flu, cold",
        "decisions/responses.csv:4: action: pil: no action without tests: did you mean 'pill'? One of: rest, pill",
        "decisions/responses.csv:4: action: rest: named twice: name it once",
        "decisions/responses.csv:4: action: swab_first: no action without tests: write one of: rest, pill"),
    "response without weight": (deciding((R, "0.2,0.8,10,smith2020,", "0.2,0.8,0,judgement,")),
        "decisions/responses.csv:3: note: -: a judgement without its reasoning: say in the note what it rests on",
        "decisions/responses.csv:3: weight: 0: a weight that is not positive: write its equivalent sample size; for a judgement, find it with 'calcinosis weigh' from its range"),
    "harm of nobody": (deciding((H, "pill,rash,0.1,10", "pil,rush,1,0")),
        "decisions/harms.csv:2: action: pil: no action without tests: did you mean 'pill'? One of: rest, pill",
        "decisions/harms.csv:2: harm: rush: no harm of utilities.csv: did you mean 'rash'? One of: rash",
        "decisions/harms.csv:2: probability: 1: no probability of a harm: write a number between 0 and 1; 1 itself needs a source of the kind definition",
        "decisions/harms.csv:2: weight: 0: a weight that is not positive: write its equivalent sample size; for a judgement, find it with 'calcinosis weigh' from its range",
        "decisions/utilities.csv:4: item: rash: a harm that no action of harms.csv has: write one of: test_complication"),
    "harm twice": (deciding((H, "pill,rash,0.1,10,smith2020,", "pill,rash,0.1,10,smith2020,\nrest;pill,rash,0.2,10,smith2020,")),
        "decisions/harms.csv:3: action, harm: pill, rash: the same as on line 2: remove one of the two"),
    "test with a weight of its harm": ({T: one_test().replace("days", "weight,days").replace("0.1,", "0.1,0,")},
        "tests.csv:2: weight: 0: a weight that is not positive: write how many patients the harm rests on, or leave the cell empty"),
    "missing file": ({U: None},
        "units.csv:1: -: -: the file is missing: put it back, or copy it from the shipped priors with 'calcinosis init'"),
    "empty file": ({U: ""},
        "units.csv:1: -: -: the file is empty: write a header line and one line per row"),
    "file of empty lines": ({U: ",,\n\n,,\n"},
        "units.csv:1: -: -: the file is empty: write a header line and one line per row"),
    "no variables": ({V: "variable,label,group,repeatable,unit,description\n"},
        "variables.csv:1: -: -: no rows under the header: write one line per row"),
    "no states": ({S: "variable,state,label,from,to,description\n"},
        "states.csv:1: -: -: no rows under the header: write one line per row",
        "variables.csv:2: variable: disease: fewer than two states: write at least two lines for it in states.csv",
        "variables.csv:3: variable: fever: fewer than two states: write at least two lines for it in states.csv",
        "variables.csv:4: variable: swab: fewer than two states: write at least two lines for it in states.csv"),
    "no sources": ({K: "source,kind,citation,year,doi,note\n"},
        "sources.csv:1: -: -: no rows under the header: write one line per row"),
    "folder for a file": ({U: FOLDER},
        "units.csv:1: -: -: not a file: put a CSV file of that name there"),
    "UTF-16": ({U: "variable,unit,factor\n".encode("utf-16")},
        "units.csv:1: -: -: UTF-16 text: save it as 'CSV UTF-8 (comma delimited)'"),
    "null byte": ({U: b'variable,unit,factor\nfever,m\x00C,0.001\n'},
        "units.csv:2: -: -: a null byte: this is not a text file: save it as 'CSV UTF-8 (comma delimited)'"),
    "not UTF-8": ({U: b'variable,unit,factor\nfever,\xb0C,1\n'},
        "units.csv:2: -: 0xb0: not UTF-8 text: save it as 'CSV UTF-8 (comma delimited)'"),
    "open quote": ({U: ("fever,mC", 'fever,"mC')},
        "units.csv:2: -: -: a quote that is not closed, or stands inside a cell: double it or close it"),
    "open quote in the header": ({U: ("variable,unit", 'variable,"unit')},
        "units.csv:1: -: -: a quote that is not closed, or stands inside a cell: double it or close it"),
    "semicolons": ({U: "variable;unit;factor\nfever;mC;0.001\n"},
        "units.csv:1: -: -: the cells are separated by semicolons: save it as 'CSV UTF-8 (comma delimited)'"),
    "tabs": ({U: "variable\tunit\tfactor\nfever\tmC\t0.001\n"},
        "units.csv:1: -: -: the cells are separated by tabs: save it as 'CSV UTF-8 (comma delimited)'"),
    "bars": ({U: "variable|unit|factor\nfever|mC|0.001\n"},
        "units.csv:1: -: -: the cells are separated by bars: save it as 'CSV UTF-8 (comma delimited)'"),
    "unnamed column": ({U: "variable,unit,factor,\nfever,mC,0.001,\n"},
        "units.csv:1: -: -: column 4 has no name: name it or remove it"),
    "doubled column": ({U: "variable,unit,factor,unit\nfever,mC,0.001,C\n"},
        "units.csv:1: unit: -: the column is repeated: remove one of the two"),
    "cells too many": ({U: ("0.001", "0,001")},
        "units.csv:2: -: fever,mC,0,001: 4 cells under 3 columns: the line has more commas than the header; put quotes around a cell that holds a comma"),
    "cells too few": ({U: ("mC,0.001", "mC")},
        "units.csv:2: -: fever,mC: 2 cells under 3 columns: the line has fewer commas than the header; put quotes around a cell that holds a comma"),
    "misspelt column": ({U: ("factor", "facter")},
        "units.csv:1: facter: -: unknown column: did you mean 'factor'?",
        "units.csv:1: factor: -: the column is missing: add it to the header"),
    "unknown column": ({U: "variable,unit,factor,zzz\nfever,mC,0.001,\n"},
        "units.csv:1: zzz: -: unknown column: remove the column"),
    "misspelt file name": ({"unit.csv": "variable,unit,factor\n", U: None},
        "unit.csv:1: -: unit.csv: a file that is not read: did you mean 'units.csv'?",
        "units.csv:1: -: -: the file is missing: put it back, or copy it from the shipped priors with 'calcinosis init'"),
    "text for a number": ({U: ("0.001", "tiny")},
        "units.csv:2: factor: tiny: not a number: write digits with a decimal point, such as 0.52"),
    "no number": ({U: ("0.001", "")},
        "units.csv:2: factor: -: no number: write digits with a decimal point, such as 0.52"),
    "decimal comma": ({U: ("0.001", '"0,001"')},
        "units.csv:2: factor: 0,001: a decimal comma: write 0.001"),
    "thousands separator": ({U: ("0.001", '"1,000"')},
        "units.csv:2: factor: 1,000: a thousands separator: write 1000"),
    "percentage": ({U: ("0.001", "0.1%")},
        "units.csv:2: factor: 0.1%: a percentage: write 0.001"),
    "number too large": ({U: ("0.001", "1e999")},
        "units.csv:2: factor: 1e999: too large for a number: write a smaller number"),
    "reserved name": ({V: ("swab,Swab", "weight,Swab")},
        "states.csv:6: variable: swab: no such variable in variables.csv: write one of: disease, fever",
        "states.csv:7: variable: swab: no such variable in variables.csv: write one of: disease, fever",
        "tables/swab.csv:1: -: swab: a table for no variable of variables.csv: write one of: disease, fever",
        "variables.csv:4: variable: weight: a reserved name: every table has a column of that name: choose another name"),
    "number beyond all bounds": ({U: ("0.001", "1e300")},
        "units.csv:2: factor: 1e300: a number beyond 1e+12: write a smaller one, or choose another unit"),
    "number too near to 0": ({U: ("0.001", "1e-301")},
        "units.csv:2: factor: 1e-301: a number between 0 and 1e-300: write 0, or choose another unit"),
    "number of many digits": ({U: ("0.001", "1" * 401)},
        "units.csv:2: factor: 1111111111111111111111111111111111111111111111111111111111111111111111111111111…: 401 characters: write a number of at most 400"),
    "error of a spreadsheet": ({U: ("0.001", "#DIV/0!")},
        "units.csv:2: factor: #DIV/0!: an error of a spreadsheet: write the number that the cell should show"),
    "weight too small": ({D: ("0.25,0.75,40", "0.25,0.75,1e-7")},
        "tables/disease.csv:2: weight: 1e-7: a weight below 1e-06: write its equivalent sample size; for a judgement, find it with 'calcinosis weigh' from its range"),
    "weight too large": ({D: ("0.25,0.75,40", "0.25,0.75,1e10")},
        "tables/disease.csv:2: weight: 1e10: a weight above 1e+09: write its equivalent sample size; for a judgement, find it with 'calcinosis weigh' from its range"),
    "state that is not known": ({S: ("swab,positive", "swab,Unknown")},
        "states.csv:7: state: Unknown: a reserved name: it says that nothing was observed: choose another name",
        "variables.csv:4: variable: swab: fewer than two states: write at least two lines for it in states.csv"),
    "state with a sign": ({S: ("swab,positive", "swab,positive/weak")},
        "states.csv:7: state: positive/weak: a name that holds '/': use letters, digits, spaces, hyphens and underscores",
        "variables.csv:4: variable: swab: fewer than two states: write at least two lines for it in states.csv"),
    "state with a zero-width space": ({S: ("swab,positive", "swab,posi\u200btive")},
        "states.csv:7: state: posi\u200btive: a name that holds a character that cannot be seen: use letters, digits, spaces, hyphens and underscores",
        "variables.csv:4: variable: swab: fewer than two states: write at least two lines for it in states.csv"),
    "subtype that is a column": ({S: ("disease,cold", "disease,status")},
        "states.csv:3: state: status: a reserved name: the answers have a column of that name: choose another name",
        "variables.csv:2: variable: disease: fewer than two states: write at least two lines for it in states.csv"),
    "states that look alike": ({S: ("swab,positive", "swab,Negative")},
        "states.csv:7: variable, state: swab, Negative: too like line 6 to tell apart: remove one of the two, or give it another name",
        "tables/swab.csv:1: Negative: -: the column of a state is missing: add it to the header",
        "tables/swab.csv:1: positive: -: neither a variable nor a state of this one: name a parent variable or a state, or remove the column"),
    "yes and true": ({S: ("fever,yes,", "fever,false,")},
        "expectations.csv:2: state: yes: not a state of fever: write one of: no, false",
        "states.csv:5: variable, state: fever, false: too like line 4 to tell apart: remove one of the two, or give it another name",
        "tables/fever.csv:1: false: -: the column of a state is missing: add it to the header",
        "tables/fever.csv:1: yes: -: neither a variable nor a state of this one: name a parent variable or a state, or remove the column"),
    "variables that look alike": ({V: ("swab,Swab", "Fever,Swab")},
        "states.csv:6: variable: swab: no such variable in variables.csv: write one of: disease, fever, Fever",
        "states.csv:7: variable: swab: no such variable in variables.csv: write one of: disease, fever, Fever",
        "tables/swab.csv:1: -: swab: a table for no variable of variables.csv: write one of: disease, fever, Fever",
        "variables.csv:4: variable: Fever: fewer than two states: write at least two lines for it in states.csv",
        "variables.csv:4: variable: Fever: too like line 3 to tell apart: remove one of the two, or give it another name"),
    "unit like its own": ({U: ("fever,mC,0.001", "fever,c,0.001")},
        "units.csv:2: unit: c: too like 'C', the unit of fever itself, to tell apart: remove the line, or spell it as there with the factor 1"),
    "units that look alike": ({U: ("fever,mC,0.001\n", "fever,mC,0.001\nfever,MC,1000000\n")},
        "units.csv:3: variable, unit: fever, MC: too like line 2 to tell apart: remove one of the two, or give it another name"),
    "unit that begins with a digit": ({U: ("fever,mC", "fever,10C")},
        "units.csv:2: unit: 10C: a unit that no number can be read in: begin it with a letter, % or µ, and use no comma, semicolon, equals sign or bracket"),
    "own unit with a comma": ({V: ("no,C,", "no,\"C,C\",")},
        "variables.csv:3: unit: C,C: a unit that no number can be read in: begin it with a letter, % or µ, and use no comma, semicolon, equals sign or bracket"),
    "covariate with a unit in brackets": ({C: ("hour,h,12", "hour,(h),12")},
        "corrections.csv:2: unit: (h): a unit that no number can be read in: begin it with a letter, % or µ, and use no comma, semicolon, equals sign or bracket"),
    "covariate that is a column": ({C: ("fever,hour", "fever,diagnosis")},
        "corrections.csv:2: covariate: diagnosis: a reserved name: the column of that name holds the diagnosis: choose another name"),
    "covariates that look alike": ({C: ("fever,hour,h,12,0.1,0,24,smith2020\n", "fever,hour,h,12,0.1,0,24,smith2020\nfever,Hour,h,12,0.1,0,24,smith2020\n")},
        "corrections.csv:3: covariate: Hour: too like line 2 to tell apart: spell it as there, or give it another name",
        "corrections.csv:3: variable: fever: the same as on line 2: remove one of the two"),
    "source keys that look alike": ({K: ("judgement,judgement,The authors,,,", "judgement,judgement,The authors,,,\nSmith2020,cohort,\"Smith, A cohort\",2020,,")},
        "sources.csv:4: source: Smith2020: too like line 2 to tell apart: remove one of the two, or give it another name"),
    "test with a sign": ({T: one_test(test="swab;swab")},
        "tests.csv:2: test: swab;swab: a name that holds ';': use letters, digits, spaces, hyphens and underscores"),
    "action that is no name": (deciding((A, "rest,Rest", "unknown,Rest")),
        "decisions/actions.csv:2: action: unknown: a reserved name: it says that nothing was observed: choose another name",
        "decisions/responses.csv:1: action: unknown: an action without responses: add a row for it in each subtype",
        "decisions/responses.csv:2: action: rest: no action without tests: write one of: unknown, pill",
        "decisions/responses.csv:4: action: rest: no action without tests: write one of: unknown, pill"),
    "utilities that look alike": (deciding((Y, "day,delay", "Rash,harm,cold,,5,smith2020,\nday,delay")),
        "decisions/utilities.csv:6: item: Rash: a harm that no action of harms.csv has: did you mean 'rash'? One of: rash, test_complication",
        "decisions/utilities.csv:6: item: Rash: too like line 4 to tell apart: spell it as there, or give it another name"),
    "header below empty lines": ({U: ("variable,unit,factor\n", "\n\n\nvariable,unit,factr\n")},
        "units.csv:4: factor: -: the column is missing: add it to the header",
        "units.csv:4: factr: -: unknown column: did you mean 'factor'?"),
    "not a name": ({V: ("swab,Swab", "a swab,Swab")},
        "states.csv:6: variable: swab: no such variable in variables.csv: write one of: disease, fever",
        "states.csv:7: variable: swab: no such variable in variables.csv: write one of: disease, fever",
        "tables/swab.csv:1: -: swab: a table for no variable of variables.csv: write one of: disease, fever",
        "variables.csv:4: variable: a swab: not a name: use letters, digits and underscores, as in serum_calcium"),
    "no label": ({V: ("swab,Swab", "swab,")},
        "variables.csv:4: label: -: the cell is empty: write the name a reader would use"),
    "unknown group": ({V: ("Fever,examination", "Fever,examinatoin")},
        "variables.csv:3: group: examinatoin: unknown group: did you mean 'examination'? One of: setting, outcome, history, examination, laboratory, imaging, histology, hidden"),
    "no group": ({V: ("Fever,examination", "Fever,")},
        "variables.csv:3: group: -: the cell is empty: write one of: setting, outcome, history, examination, laboratory, imaging, histology, hidden"),
    "repeatable maybe": ({V: ("laboratory,yes", "laboratory,maybe")},
        "variables.csv:4: repeatable: maybe: neither yes nor no: write one of: yes, no"),
    "repeatable outcome": ({V: ("outcome,no", "outcome,yes")},
        "tables/fever.csv:1: disease: -: a repeatable variable cannot be a parent: its results are measurements: make what they measure the parent",
        "tables/swab.csv:1: disease: -: a repeatable variable cannot be a parent: its results are measurements: make what they measure the parent",
        "variables.csv:2: repeatable: yes: a variable of the group outcome has one state, not repeated results: write no"),
    "no outcome": ({V: ("outcome", "history")},
        "variables.csv:1: group: -: no variable of the group outcome: give the variable that is asked for the group outcome"),
    "second outcome": ({V: ("examination", "outcome")},
        "variables.csv:3: group: fever: a second outcome, beside disease: only one variable can be the outcome"),
    "variable twice": ({V: ("swab,Swab,laboratory,yes,,\n", "swab,Swab,laboratory,yes,,\nswab,Swab,laboratory,yes,,\n")},
        "variables.csv:5: variable: swab: the same as on line 4: remove one of the two"),
    "order that is no number": ({V: "variable,label,group,repeatable,unit,description,order\ndisease,Disease,outcome,no,,,1\nfever,Fever,examination,no,C,,2nd\nswab,Swab,laboratory,yes,,,3\n"},
        "variables.csv:3: order: 2nd: not a number: write digits with a decimal point, such as 0.52"),
    "states of no variable": ({S: ("swab,positive", "swap,positive")},
        "states.csv:7: variable: swap: no such variable in variables.csv: did you mean 'swab'? One of: disease, fever, swab",
        "variables.csv:4: variable: swab: fewer than two states: write at least two lines for it in states.csv"),
    "state without a name": ({S: ("swab,positive", "swab,")},
        "states.csv:7: state: -: the cell is empty: give the state a name of its own",
        "variables.csv:4: variable: swab: fewer than two states: write at least two lines for it in states.csv"),
    "state with a reserved name": ({S: ("swab,positive", "swab,note")},
        "states.csv:7: state: note: a reserved name: every table has a column of that name: choose another name",
        "variables.csv:4: variable: swab: fewer than two states: write at least two lines for it in states.csv"),
    "state twice": ({S: ("swab,positive", "swab,negative")},
        "states.csv:7: variable, state: swab, negative: the same as on line 6: remove one of the two",
        "variables.csv:4: variable: swab: fewer than two states: write at least two lines for it in states.csv"),
    "band without a unit": ({V: ("no,C,", "no,,"), U: ("fever,mC,0.001\n", "")},
        "corrections.csv:2: variable: fever: no variable that can be given as a number: none is defined",
        "states.csv:4: from: 35: a band for a variable without a unit: give the variable a unit in variables.csv"),
    "bands with a gap": ({S: ("yes,,38,43", "yes,,38.5,43")},
        "states.csv:5: from: 38.5: the bands leave a gap: the band below ends at 38: begin where it ends"),
    "bands that overlap": ({S: ("yes,,38,43", "yes,,37,43")},
        "states.csv:5: from: 37: the bands overlap: the band below ends at 38: begin where it ends"),
    "band with one limit": ({S: ("yes,,38,43", "yes,,38,"), C: None},
        "states.csv:5: to: -: the other limit is given, this one is not: write digits with a decimal point, such as 0.52"),
    "limit that is no number": ({S: ("yes,,38,43", "yes,,> hot,43"), C: None},
        "states.csv:5: from: > hot: not a number: write digits with a decimal point, such as 0.52"),
    "band of no width": ({S: ("yes,,38,43", "yes,,38,38"), C: None},
        "states.csv:5: to: 38: the band ends before it begins: write the smaller limit in 'from'"),
    "band reversed": ({S: ("yes,,38,43", "yes,,43,38"), C: None},
        "states.csv:5: to: 38: the band ends before it begins: write the smaller limit in 'from'"),
    "unit without a name": ({U: ("fever,mC", "fever,")},
        "units.csv:2: unit: -: the cell is empty: write the unit as a laboratory prints it"),
    "factor of zero": ({U: ("0.001", "0")},
        "units.csv:2: factor: 0: a factor that is not positive: write what one such unit is in the variable's own unit"),
    "unit of no variable": ({U: ("fever,mC", "fevre,mC")},
        "units.csv:2: variable: fevre: no such variable: did you mean 'fever'? One of: disease, fever, swab, hour"),
    "unit for words": ({U: ("fever,mC", "swab,mC")},
        "units.csv:2: variable: swab: a unit for a variable without one: give it a unit and bands, or remove the line"),
    "own unit with a factor": ({U: ("mC,0.001", "C,2")},
        "units.csv:2: factor: 2: the variable's own unit: write 1"),
    "unit twice": ({U: ("fever,mC,0.001\n", "fever,mC,0.001\nfever,mC,0.002\n")},
        "units.csv:3: variable, unit: fever, mC: the same as on line 2: remove one of the two"),
    "correction of words": ({C: ("fever,hour", "swab,hour")},
        "corrections.csv:2: variable: swab: no variable that can be given as a number: write one of: fever"),
    "covariate that is a variable": ({C: ("hour", "swab")},
        "corrections.csv:2: covariate: swab: a variable of the model: name a quantity that is not a variable, such as albumin"),
    "covariate that is no name": ({C: ("hour", "the hour")},
        "corrections.csv:2: covariate: the hour: not a name: name a quantity that is not a variable, such as albumin"),
    "covariate without a unit": ({C: ("hour,h", "hour,")},
        "corrections.csv:2: unit: -: the cell is empty: write the covariate's unit"),
    "range without the reference": ({C: ("0,24", "0,6")},
        "corrections.csv:2: from: 0: the range does not hold the reference: write the believable range, smaller limit first, with the reference inside"),
    "correction twice": ({C: ("fever,hour,h,12,0.1,0,24,smith2020\n", "fever,hour,h,12,0.1,0,24,smith2020\nfever,hour,h,12,0.2,0,24,smith2020\n")},
        "corrections.csv:3: variable: fever: the same as on line 2: remove one of the two"),
    "source key with a semicolon": ({K: ("definition,definition", "a;b,definition")},
        "sources.csv:4: source: a;b: not a key: use a short word without a semicolon, as in jones2023"),
    "unknown kind": ({K: ("smith2020,cohort", "smith2020,cohrot")},
        "sources.csv:2: kind: cohrot: unknown kind: did you mean 'cohort'? One of: registry, cohort, case-control, series, review, definition, judgement"),
    "no citation": ({K: ('"Smith, A cohort"', "")},
        "sources.csv:2: citation: -: the cell is empty: write authors, title and journal"),
    "year": ({K: (",2020,", ",20,")},
        "sources.csv:2: year: 20: not a year: write four digits, or leave the cell empty"),
    "doi": ({K: ("10.1000/xyz", "doi:10.1000/xyz")},
        "sources.csv:2: doi: doi:10.1000/xyz: not a DOI: write it from '10.' on, or leave the cell empty"),
    "source twice": ({K: ("definition,definition", "smith2020,definition")},
        "sources.csv:4: source: smith2020: the same as on line 2: remove one of the two"),
    "no source": ({F: ("10,smith2020,\ncold", "10,,\ncold")},
        "tables/fever.csv:2: source: -: no source: name a key of sources.csv; 'judgement' if there is no figure"),
    "source named twice": ({F: ("10,smith2020,\ncold", "10,smith2020;smith2020,\ncold")},
        "tables/fever.csv:2: source: smith2020: the source is named twice: name it once"),
    "misspelt source": ({F: ("10,smith2020,\ncold", "10,smith2002,\ncold")},
        "tables/fever.csv:2: source: smith2002: unknown source: did you mean 'smith2020'? Otherwise add it to sources.csv"),
    "unknown source": ({F: ("10,smith2020,\ncold", "10,zz,\ncold")},
        "tables/fever.csv:2: source: zz: unknown source: add it to sources.csv"),
    "table of no variable": ({"tables/fevre.csv": "no,yes\n"},
        "tables/fevre.csv:1: -: fevre: a table for no variable of variables.csv: did you mean 'fever'? One of: disease, fever, swab"),
    "table of nothing near": ({"tables/zzz.csv": "no,yes\n"},
        "tables/zzz.csv:1: -: zzz: a table for no variable of variables.csv: write one of: disease, fever, swab"),
    "combination twice": ({F: ("cold,0.9,0.1,10,smith2020,\n", "cold,0.9,0.1,10,smith2020,\ncold,0.8,0.2,10,smith2020,\n")},
        "tables/fever.csv:4: disease: cold: line 3 covers this too: take it out of one of the two rows"),
    "combination missing": ({F: ("cold,0.9,0.1,10,smith2020,\n", "")},
        "tables/fever.csv:1: disease: cold: no row covers this: add a row for it"),
    "no row": ({D: ("0.25,0.75,40,smith2020,\n", "")},
        "tables/disease.csv:1: -: -: no row: add a row for it"),
    "row twice without parents": ({D: ("0.25,0.75,40,smith2020,\n", "0.25,0.75,40,smith2020,\n0.25,0.75,40,smith2020,\n")},
        "tables/disease.csv:3: -: -: a second row, the first is on line 2: remove one of the two"),
    "two rows in one": ({F: "disease,no,yes,weight,source,note\nany,0.2,0.8,10,smith2020,\ncold,0.9,0.1,10,smith2020,\n"},
        "tables/fever.csv:3: disease: cold: line 2 covers this too: take it out of one of the two rows"),
    "all covered twice": ({F: "disease,no,yes,weight,source,note\nflu/cold,0.2,0.8,10,smith2020,\nany,0.9,0.1,10,smith2020,\n"},
        "tables/fever.csv:3: disease: any: line 2 covers this too: take it out of one of the two rows"),
    "overlaps and gaps of two parents": ({F: TWO_PARENTS, "tables/age.csv": AGE, V: ("fever,Fever", "age,Age,history,no,,\nfever,Fever"), S: ("fever,no,", "age,young,,,,\nage,old,,,,\nage,oldest,,,,\nfever,no,")},
        "tables/fever.csv:1: age, disease: old, cold: no row covers this: add a row for it",
        "tables/fever.csv:1: age, disease: oldest, any: no row covers this: add a row for it",
        "tables/fever.csv:4: age, disease: old, flu: line 3 covers this too: take it out of one of the two rows",
        "tables/fever.csv:4: age, disease: young, flu: line 2 covers this too: take it out of one of the two rows"),
    "any next to a state": ({F: ("flu,0.2", "any/flu,0.2")},
        "tables/fever.csv:2: disease: any/flu: 'any' next to a state: write 'any' alone, or remove it"),
    "list with an empty name": ({F: ("flu,0.2", "flu/,0.2")},
        "tables/fever.csv:2: disease: flu/: an empty name in a list of states: remove the extra '/'"),
    "list with a state twice": ({F: ("flu,0.2", "flu/flu,0.2")},
        "tables/fever.csv:2: disease: flu/flu: 'flu' twice in a list of states: name it once"),
    "list with an unknown state": ({F: ("flu,0.2", "flu/colt,0.2")},
        "tables/fever.csv:2: disease: flu/colt: no state 'colt': did you mean 'cold'? One of: flu, cold, any; join several with '/'"),
    "any in capitals": ({F: ("flu,0.2", "Any,0.2")},
        "tables/fever.csv:2: disease: Any: no state 'Any': did you mean 'any'? One of: flu, cold, any; join several with '/'"),
    "list of probabilities": ({F: ("0.2,0.8", "0.2/0.3,0.8")},
        "tables/fever.csv:2: no: 0.2/0.3: not a number: write digits with a decimal point, such as 0.52"),
    "column of a state missing": ({F: "disease,yes,weight,source,note\nflu,0.8,10,smith2020,\ncold,0.1,10,smith2020,\n"},
        "tables/fever.csv:1: no: -: the column of a state is missing: add it to the header"),
    "column of a state misspelt": ({F: ("disease,no,", "disease,non,")},
        "tables/fever.csv:1: no: -: the column of a state is missing: add it to the header",
        "tables/fever.csv:1: non: -: neither a variable nor a state of this one: did you mean 'no'?"),
    "column of weights missing": ({F: "disease,no,yes,source,note\nflu,0.2,0.8,smith2020,\ncold,0.9,0.1,smith2020,\n"},
        "tables/fever.csv:1: weight: -: the column is missing: add it to the header"),
    "own parent": ({F: "fever,no,yes,weight,source,note\nno,0.2,0.8,10,smith2020,\nyes,0.9,0.1,10,smith2020,\n"},
        "tables/fever.csv:1: fever: -: a variable cannot be its own parent: remove the column"),
    "unknown parent": ({F: "disease,no,yes,weight,source,note,zzz\nflu,0.2,0.8,10,smith2020,,\ncold,0.9,0.1,10,smith2020,,\n"},
        "tables/fever.csv:1: zzz: -: neither a variable nor a state of this one: name a parent variable or a state, or remove the column"),
    "repeatable parent": ({F: "swab,no,yes,weight,source,note\nnegative,0.2,0.8,10,smith2020,\npositive,0.9,0.1,10,smith2020,\n"},
        "tables/fever.csv:1: swab: -: a repeatable variable cannot be a parent: its results are measurements: make what they measure the parent"),
    "more parents than anyone can fill in": (WIDE,
        f"tables/fever.csv:1: {', '.join(SIGNS)}: -: 131072 combinations of parent states: remove parent columns until there are at most 100000"),
    "state of no parent": ({F: ("flu,0.2", "flue,0.2")},
        "tables/fever.csv:2: disease: flue: no state 'flue': did you mean 'flu'? One of: flu, cold, any; join several with '/'"),
    "parent's state empty": ({F: ("flu,0.2", ",0.2")},
        "tables/fever.csv:2: disease: -: the cell is empty: write one of: flu, cold, any; join several with '/'"),
    "weight of zero": ({F: ("0.8,10", "0.8,0")},
        "tables/fever.csv:2: weight: 0: a weight that is not positive: write its equivalent sample size; for a judgement, find it with 'calcinosis weigh' from its range"),
    "judgement without a note": ({F: ("10,smith2020,\ncold", "10,judgement,\ncold")},
        "tables/fever.csv:2: note: -: a judgement without its reasoning: say in the note what it rests on"),
    "probability above 1": ({F: ("0.2,0.8", "0.2,1.8")},
        "tables/fever.csv:2: yes: 1.8: a probability above 1: write a number from 0 to 1"),
    "probability below 0": ({F: ("0.2,0.8", "-0.2,0.8")},
        "tables/fever.csv:2: no: -0.2: a probability below 0: write a number from 0 to 1"),
    "zero": ({F: ("0.2,0.8", "0,1")},
        "tables/fever.csv:2: no: 0: a zero, which no evidence could ever overrule: write a small number, or cite a source of the kind definition"),
    "sum": ({F: ("0.2,0.8", "0.2,0.795")},
        "tables/fever.csv:2: no, yes: 0.995: the probabilities do not sum to 1: change them so that they sum to 1"),
    "circle": ({D: "fever,flu,cold,weight,source,note\nno,0.1,0.9,40,smith2020,\nyes,0.6,0.4,40,smith2020,\n"},
        "tables/fever.csv:1: disease: disease → fever → disease: the arrows form a cycle: remove one of these arrows"),
    "no arrow": ({F: "no,yes,weight,source,note\n0.5,0.5,10,smith2020,\n"},
        "tables/fever.csv:1: -: fever: no arrow connects fever with disease: give its table a parent column, or make it a parent"),
    "rule about no variable": ({X: ("fever,yes,no", "fevre,yes,no")},
        "expectations.csv:2: finding: fevre: no such variable: did you mean 'fever'? One of: fever, swab"),
    "rule about no state": ({X: ("fever,yes,no", "fever,hot,no")},
        "expectations.csv:2: state: hot: not a state of fever: write one of: no, yes"),
    "rule of a state against itself": ({X: ("fever,yes,no", "fever,yes,yes")},
        "expectations.csv:2: compared_with: yes: a state compared with itself: name another state"),
    "rule about no disease": ({X: ("flu,raises", "flue,raises")},
        "expectations.csv:2: subtype: flue: not a state of disease: did you mean 'flu'? One of: flu, cold"),
    "rule without a direction": ({X: ("flu,raises", "flu,up")},
        "expectations.csv:2: direction: up: neither raises nor lowers: write one of: raises, lowers"),
    "rule against no disease": ({X: ("raises,,", "raises,colds,")},
        "expectations.csv:2: against: colds: not a state of disease: did you mean 'cold'? One of: flu, cold"),
    "rule against itself": ({X: ("raises,,", "raises,flu,")},
        "expectations.csv:2: against: flu: a subtype against itself: name another, or leave the cell empty"),
    "rule twice": ({X: ("fever,yes,no,flu,raises,,smith2020\n", "fever,yes,no,flu,raises,,smith2020\nfever,yes,no,flu,lowers,,smith2020\n")},
        "expectations.csv:3: finding, state, compared_with, subtype, against: fever, yes, no, flu,: the same as on line 2: remove one of the two"),
    "tests in an empty file": ({T: ""},
        "tests.csv:1: -: -: the file is empty: write a header line and one line per row"),
    "tests in a folder": ({T: FOLDER},
        "tests.csv:1: -: -: not a file: put a CSV file of that name there"),
    "tests under a misspelt name": ({"test.csv": one_test()},
        "test.csv:1: -: test.csv: a file that is not read: did you mean 'tests.csv'?"),
    "tests without a column": ({T: one_test().replace("days", "dayz")},
        "tests.csv:1: days: -: the column is missing: add it to the header",
        "tests.csv:1: dayz: -: unknown column: did you mean 'days'?"),
    "test without a name": ({T: one_test(test="", label="")},
        "tests.csv:2: label: -: the cell is empty: write the name a reader would use",
        "tests.csv:2: test: -: the cell is empty: give the test a name of its own"),
    "test twice": ({T: one_test() + "swab,Another,fever,1,0,0,smith2020,\n"},
        "tests.csv:3: test: swab: the same as on line 2: remove one of the two"),
    "test of nothing": ({T: one_test(reveals=" ; ")},
        "tests.csv:2: reveals: ;: no variable: name the variables it gives a result of, with ';' between them"),
    "test of no variable": ({T: one_test(reveals="swab;fevre;fevre")},
        "tests.csv:2: reveals: fevre: no such variable: did you mean 'fever'? One of: fever, swab",
        "tests.csv:2: reveals: fevre: the variable is named twice: name it once; only a repeatable variable takes two results"),
    "test of the disease": ({T: one_test(reveals="swab;disease")},
        "tests.csv:2: reveals: disease: the variable that is asked for, which no test shows: write one of: fever, swab"),
    "test of a hidden variable": ({T: one_test(), V: ("Swab,laboratory,yes", "Swab,hidden,no")},
        "tests.csv:2: reveals: swab: a hidden variable, which no test shows: write one of: fever"),
    "test of a variable twice": ({T: one_test(reveals="swab;swab;fever;fever")},
        "tests.csv:2: reveals: fever: the variable is named twice: name it once; only a repeatable variable takes two results"),
    "test after no variable": ({T: one_test(after="swap;disease;fever;fever")},
        "tests.csv:2: after: disease: the variable that is asked for, which no test shows: write one of: fever, swab",
        "tests.csv:2: after: fever: the variable is named twice: name it once",
        "tests.csv:2: after: swap: no such variable: did you mean 'swab'? One of: fever, swab"),
    "test with numbers below 0": ({T: one_test(cost="-5", harm="-0.1", days="-1")},
        "tests.csv:2: cost: -5: a number below 0: write 0 or more",
        "tests.csv:2: days: -1: a number below 0: write 0 or more",
        "tests.csv:2: harm: -0.1: a probability below 0: write a number from 0 to 1"),
    "test with numbers out of bounds": ({T: one_test(cost="1e999", harm="1.2", days="soon")},
        "tests.csv:2: cost: 1e999: too large for a number: write a smaller number",
        "tests.csv:2: days: soon: not a number: write digits with a decimal point, such as 0.52",
        "tests.csv:2: harm: 1.2: a probability above 1: write a number from 0 to 1"),
    "test with an unknown source": ({T: one_test(source="smith2002")},
        "tests.csv:2: source: smith2002: unknown source: did you mean 'smith2020'? Otherwise add it to sources.csv"),
    "cases without a finding": ({P: "case_id,diagnosis,year\none,flu,1999\n"},
        "cases/published_cases.csv:1: -: -: no column is a variable: name the columns as in variables.csv"),
    "case without a name": ({P: ("one,flu", ",flu")},
        "cases/published_cases.csv:2: case_id: -: the cell is empty: give the case a name of its own"),
    "case of no disease": ({P: ("one,flu", "one,flue")},
        "cases/published_cases.csv:2: diagnosis: flue: not a state of disease: did you mean 'flu'? One of: flu, cold"),
    "case twice": ({P: ("one,flu,yes,1999\n", "one,flu,yes,1999\none,cold,no,2001\n")},
        "cases/published_cases.csv:3: case_id: one: the same as on line 2: remove one of the two"),
    "cases without a diagnosis": ({P: ("diagnosis", "diagnoses")},
        "cases/published_cases.csv:1: diagnoses: -: unknown column: did you mean 'diagnosis'?",
        "cases/published_cases.csv:1: diagnosis: -: the column is missing: add it to the header"),
}
# fmt: on
"""What is done to the small folder (an old text and its new one; a whole file; None to delete), and what is then told."""


def spoil(folder, changes, edit):
    for file, change in changes.items():
        path = folder / file
        if isinstance(change, tuple):
            edit(path, *change)
            continue
        path.unlink(missing_ok=True)
        if change is FOLDER:
            path.mkdir()
        elif change is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(change if isinstance(change, bytes) else change.encode())


def messages(folder):
    """The problems of a folder, then of its cases, as they are printed."""
    try:
        priors = read_priors(folder)
        problems = []
        check_cases(read_cases(folder), priors, problems)
    except PriorsError as error:
        problems = error.problems
    return [str(problem) for problem in problems]


def test_the_small_folder_has_no_fault(tiny, edit):
    assert messages(tiny) == []
    spoil(tiny, DECISIONS, edit)
    assert messages(tiny) == []


@pytest.mark.parametrize("name", GOLDEN)
def test_a_fault_is_told_in_these_words(name, tiny, edit):
    changes, *told = GOLDEN[name]
    spoil(tiny, changes, edit)
    assert messages(tiny) == told


def test_a_folder_that_cannot_be_read_is_told_in_these_words(tiny, monkeypatch):
    def locked(path):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", locked)
        told = messages(tiny)
    assert told == [f"{tiny}:1: -: -: the folder cannot be read (Permission denied): make it readable"]


def test_a_folder_that_is_not_there_is_told_in_these_words(tmp_path):
    assert messages(tmp_path / "no") == [
        f"{tmp_path}/no:1: -: -: there is no such folder: name a priors folder; 'calcinosis init DIR' makes one"
    ]


def test_an_empty_path_is_told_in_these_words():
    with pytest.raises(PriorsError) as caught:
        chosen_folder("")
    assert [str(problem) for problem in caught.value.problems] == [
        "'':1: -: -: an empty path: name a priors folder, or leave it out to use the shipped one"
    ]


def test_a_file_for_a_folder_is_told_in_these_words(tiny):
    assert messages(tiny / V) == [
        f"{tiny}/variables.csv:1: -: -: not a folder: name a priors folder; 'calcinosis init DIR' makes one"
    ]


def test_missing_cases_are_told_in_these_words(tiny):
    (tiny / P).unlink()
    assert messages(tiny) == [
        "cases/published_cases.csv:1: -: -: the file is missing: put it back, or copy it from the shipped priors with 'calcinosis init'"
    ]


def test_tables_given_in_python_are_told_in_the_same_words(tiny):
    priors = read_priors(tiny)
    wrong = priors.table("swab").assign(positive=[0.7, 0.06])
    with pytest.raises(PriorsError) as caught:
        revised(priors, {"swab": wrong, "fevre": pd.DataFrame()})
    assert str(caught.value) == (
        "2 problems in the tables given\n"
        "tables/fevre.csv:1: -: fevre: a table for no variable: did you mean 'fever'? One of: disease, fever, swab\n"
        "tables/swab.csv:3: negative, positive: 1.01: the probabilities do not sum to 1: change them so that they sum to 1"
    )


def test_rates_given_in_python_are_told_in_the_same_words(tiny):
    (tiny / "reporting.csv").write_text(REPORTED.replace("smith2020", "definition"), encoding="utf-8")
    priors = read_priors(tiny).with_mentions("letter")
    table = priors.table("mentioned:fever").assign(no=0.0, yes=1.0)
    told = []
    for wrong in (table, table.drop(columns="fever").assign(no=0.5, yes=0.5)):
        with pytest.raises(PriorsError) as caught:
            revised(priors, {"mentioned:fever": wrong})
        told += map(str, caught.value.problems)
    assert told == [
        "reporting.csv:2: yes: 1: a rate outside 0 to 1, or all but certain: write a number from 1e-09 to 1 - 1e-09",
        "reporting.csv:1: fever: -: the column is missing: add it to the header",
    ]


def test_a_column_given_twice_in_python_is_told_in_the_same_words(tiny):
    priors = read_priors(tiny)
    table = priors.table("disease")
    with pytest.raises(PriorsError) as caught:
        revised(priors, {"disease": pd.concat([table, table[["flu"]]], axis=1)})
    assert str(caught.value) == (
        "1 problem in the tables given\ntables/disease.csv:1: flu: -: the column is repeated: remove one of the two"
    )


def test_faults_of_all_files_are_told_at_once_in_the_order_of_files_and_lines(tiny, edit):
    spoil(tiny, {F: ("0.2,0.8", "20%,0.8"), W: ("0.05,20,smith2020", "0.05,0,smith2002"), X: ("raises", "up")}, edit)
    spoil(tiny, {U: ("0.001", "0"), K: (",2020,", ",20,"), V: ("fever,Fever", "fever,"), C: ("0,24", "0,6")}, edit)
    spoil(tiny, {S: ("yes,,38,43", "yes,,39,43"), D: ("40,smith2020", "forty,smith2020")}, edit)
    with pytest.raises(PriorsError) as caught:
        read_priors(tiny)
    assert str(caught.value).splitlines() == [
        f"10 problems in {tiny}",
        "corrections.csv:2: from: 0: the range does not hold the reference: write the believable range, smaller limit first, with the reference inside",
        "expectations.csv:2: direction: up: neither raises nor lowers: write one of: raises, lowers",
        "sources.csv:2: year: 20: not a year: write four digits, or leave the cell empty",
        "states.csv:5: from: 39: the bands leave a gap: the band below ends at 38: begin where it ends",
        "tables/disease.csv:2: weight: forty: not a number: write digits with a decimal point, such as 0.52",
        "tables/fever.csv:2: no: 20%: a percentage: write 0.2",
        "tables/swab.csv:3: source: smith2002: unknown source: did you mean 'smith2020'? Otherwise add it to sources.csv",
        "tables/swab.csv:3: weight: 0: a weight that is not positive: write its equivalent sample size; for a judgement, find it with 'calcinosis weigh' from its range",
        "units.csv:2: factor: 0: a factor that is not positive: write what one such unit is in the variable's own unit",
        "variables.csv:3: label: -: the cell is empty: write the name a reader would use",
    ]


def test_one_fault_is_counted_as_one():
    fault = Problem("a.csv", 2, "", "", "wrong", "fix it")
    assert str(PriorsError("here", [fault, fault])) == "1 problem in here\na.csv:2: -: -: wrong: fix it"


def test_problems_are_sorted_by_the_number_of_the_line():
    problems = [Problem("a.csv", line, "", "", "wrong", "fix it") for line in (10, 9, 1)]
    assert [problem.line for problem in PriorsError("here", problems).problems] == [1, 9, 10]


def test_a_message_is_one_line_and_all_its_parts_are_there_by_name():
    problem = Problem("a.csv", 2, "note", "two\n lines", "wrong", "fix it")
    assert str(problem) == "a.csv:2: note: two lines: wrong: fix it"
    parts = {"file": "a.csv", "line": 2, "column": "note", "value": "two\n lines", "what": "wrong", "fix": "fix it"}
    assert problem.to_dict() == parts


def told_in_the_code():
    """The places in the code that tell of a fault: file, first and last line of the call."""
    for path in sorted(Path(knowledge.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and path.name != "problem.py":
                call = node.func.func if isinstance(node.func, ast.Call) else node.func
                method = isinstance(call, ast.Attribute) and call.attr in ("report", "reporter", "filled", "spelled")
                tells = {"report", "Problem", "NotANumber"} if call is node.func else {"Reporter"}
                if method or (isinstance(call, ast.Name) and call.id in tells):
                    yield path.name, node.lineno, node.end_lineno


def test_a_ledger_that_was_changed_is_told_in_these_words(tmp_path):
    path = tmp_path / "updates" / "01_ward.csv"
    path.parent.mkdir()
    path.write_text("cohort,patients\nward,many\n", encoding="utf-8")
    with pytest.raises(PriorsError) as caught:
        read_ledger(path)
    assert [str(problem) for problem in caught.value.problems] == [
        "updates/01_ward.csv:1: -: -: not what 'calcinosis update' has written: put the file back as it was"
    ]


def test_every_place_that_tells_of_a_fault_is_reached_by_a_test_above(tiny, edit, monkeypatch, tmp_path):
    reached, package = set(), Path(knowledge.__file__).parent

    def listen(owner, name):
        original = getattr(owner, name)

        def listening(*args, **kwargs):
            frame = sys._getframe(1)
            while frame is not None and Path(frame.f_code.co_filename).parent == package:
                reached.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
                frame = frame.f_back
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, listening)

    whole = {path: path.read_bytes() for path in tiny.rglob("*.csv")}
    listen(Reporter, "__call__")
    listen(Problem, "__init__")
    listen(NotANumber, "__init__")
    test_tables_given_in_python_are_told_in_the_same_words(tiny)
    test_a_column_given_twice_in_python_is_told_in_the_same_words(tiny)
    test_rates_given_in_python_are_told_in_the_same_words(tiny)
    (tiny / "reporting.csv").unlink()
    test_a_folder_that_is_not_there_is_told_in_these_words(tmp_path)
    test_a_ledger_that_was_changed_is_told_in_these_words(tmp_path)
    test_an_empty_path_is_told_in_these_words()
    test_a_folder_that_cannot_be_read_is_told_in_these_words(tiny, monkeypatch)
    for changes, *_ in GOLDEN.values():
        spoil(tiny, changes, edit)
        messages(tiny)
        for file in changes:
            path = tiny / file
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        shutil.rmtree(tiny / "decisions", ignore_errors=True)
        for path, raw in whole.items():
            path.write_bytes(raw)
    silent = [
        f"{file}:{first}"
        for file, first, last in told_in_the_code()
        if not any(name == file and first <= line <= last for name, line in reached)
    ]
    assert silent == []
