"""The account in words says what the figures say, in whole sentences: golden texts by hand, and all published cases."""

import math
import re

import numpy as np
import pytest

import calcinosis as cc
from calcinosis.analysis.explain.hypothesis import Hypothesis
from calcinosis.analysis.explain.narrative import GROUPS, Contribution, account
from calcinosis.inference.phrases import capitalised, counted, listed, phrase, uncapitalised
from calcinosis.knowledge.folder import shipped_folder

MODEL = cc.load(shipped_folder())
CASES = cc.cases(shipped_folder())
LABELS = {"flu": "influenza", "cold": "a cold", "covid": "covid"}
TWO = Hypothesis.of(["flu", "cold"], "flu")
ALL = Hypothesis.of(["flu", "cold", "covid"], "flu")

WORDS = """
before any with is are times as probable the others together these this finding findings about equally for against
it strongest further evidence makes make less more likely relative to twice each of other hardly changes change
odds adds anything and or over a million laboratory values
"""
"""All words that an account has of its own, beside those for numbers."""


def published(name):
    """The findings of a published case."""
    return {n: v for n, v in CASES.loc[name].items() if n in MODEL.variables and v}


def told(*contributions, before=0.0, of=TWO, **more):
    after = before + sum(nats for _, _, nats in contributions)
    return account(of, LABELS, before, after, [Contribution(*own) for own in contributions], **more)


def by(factor):
    return math.log(factor)


# golden texts


def test_the_article_s_patient():
    """The negative biopsies are the strongest evidence for dystrophic calcification, cirrhosis and weight against."""
    why = cc.explain(MODEL, published("jones2023"), state="dystrophic", against="calciphylaxis")
    words = {finding.variable: phrase(MODEL.variables[finding.variable], finding) for finding in why.findings}
    sentences = why.summary.split(". ")
    assert sentences[0].startswith("Before any finding, dystrophic calcification is ")
    assert re.fullmatch(
        r"The histology is the strongest evidence for dystrophic calcification and makes calciphylaxis [\d.]+ times "
        rf"less likely relative to dystrophic calcification: {re.escape(words['vascular_histology'])} ×[\d.]+, .*",
        sentences[1],
    )
    against = next(sentence for sentence in sentences if "evidence against it" in sentence)
    assert against.startswith("The history is the strongest evidence against it and makes calciphylaxis ")
    for name in ("cirrhosis", "weight_loss"):
        assert re.search(rf"[:,] {words[name]} ÷[\d.]+", against), name
    assert words["vascular_histology"] not in against
    assert words["cirrhosis"] not in sentences[1]


def test_one_finding():
    assert told(("history", "fever", by(6.04))) == (
        "Before any finding, influenza and a cold are about equally probable; with this finding, influenza is 6 times "
        "as probable as a cold. The history is evidence for influenza and makes a cold 6 times less likely "
        "relative to influenza: fever."
    )


def test_one_finding_that_says_little():
    assert told(("history", "fever", by(1.2)), before=by(3)) == (
        "Before any finding, influenza is 3 times as probable as a cold; with this finding, influenza is 3.6 times as "
        "probable as a cold. The finding makes a cold 1.2 times less likely relative to influenza."
    )


def test_one_finding_that_says_nothing():
    assert told(("history", "fever", 0.0), before=-by(3)).endswith("The finding hardly changes the odds.")


def test_no_findings():
    assert told(before=by(3)) == (
        "Before any finding, influenza is 3 times as probable as a cold. There are no findings to explain."
    )
    assert told(before=by(3), background=True).startswith("With only the background known, influenza is 3 times")


def test_against_all_others():
    assert told(("history", "fever", -by(2.0)), ("history", "rash", -by(2.5)), of=ALL) == (
        "Before any finding, influenza and the others together are about equally probable; with these findings, the "
        "others together are 5 times as probable as influenza. The history is evidence against influenza and makes "
        "the others together 5 times more likely relative to influenza: fever ÷2, rash ÷2.5."
    )


def test_several_states_on_both_sides():
    several = Hypothesis.of(["flu", "cold", "covid", "measles"], "flu/covid", ["cold"])
    assert told(("history", "fever", by(4)), of=several).startswith(
        "Before any finding, influenza or covid and a cold are about equally probable; with this finding, influenza or "
        "covid is 4 times as probable as a cold. The history is evidence for influenza or covid "
    )


def test_odds_that_end_even():
    text = told(("history", "fever", by(3)), ("examination", "cough", -by(3)))
    assert "with these findings, influenza and a cold are about equally probable." in text


def test_twice_as_likely():
    assert "makes a cold twice as likely relative to influenza: fever." in told(("history", "fever", -by(2)))


def test_groups_follow_each_other_and_values_are_plural():
    text = told(
        ("laboratory", "high x", by(3)), ("laboratory", "low y", by(2)), ("history", "fever", by(4)),
        ("imaging", "a mass", by(1.5)), ("imaging", "a net", by(1.4)), ("", "a sign", -by(1.4)),
    )  # fmt: skip
    assert (
        "The laboratory values are the strongest evidence for influenza and make a cold 6 times less likely relative "
        "to influenza: high x ×3, low y ×2. Further evidence for influenza: the history: fever ×4; the imaging (×2.1): "
        "a mass ×1.5, a net ×1.4. The findings are evidence against it and make a cold 1.4 times more likely "
        "relative to influenza: a sign."
    ) in text


def test_what_is_not_named_is_summed_up():
    small = [("history", f"sign {i}", by(1.1)) for i in range(3)]
    assert told(("history", "fever", by(4)), *small).endswith(
        ": fever. The three other findings together make a cold 1.3 times less likely relative to influenza."
    )
    assert told(*small, ("", "other", -by(1.331))).endswith(
        "The three other findings together make a cold 1.3 times less likely relative to influenza."
    )
    assert told(*small, *[("a", f"b {i}", -by(1.1)) for i in range(3)]).endswith(
        "The six findings together hardly change the odds."
    )
    assert told(("history", "fever", by(4)), ("history", "rash", by(1.02))).endswith(
        "The other finding hardly changes the odds."
    )
    many = [("history", f"sign {i}", by(2)) for i in range(9)]
    assert told(*many).endswith(
        "The three other findings together make a cold 8 times less likely relative to influenza."
    )


def test_what_the_others_say_too_is_named():
    one = told(("history", "fever", by(4)), redundant=["fever"])
    assert one.endswith("Fever adds hardly anything to the other findings.")
    two = told(("history", "fever", by(4)), redundant=["fever", "CT scan", "rash"])
    assert two.endswith("Each of fever, CT scan and rash adds hardly anything to the other findings.")


def test_very_large_factors_are_not_spelt_out():
    text = told(("history", "fever", by(5e7)), ("history", "rash", by(53_210)))
    assert "influenza is over a million times as probable as a cold" in text
    assert "fever > ×1,000,000, rash ×53,000." in text


# every published case


def numbers_of(text):
    found = re.findall(r"[×÷]([\d,]+(?:\.\d+)?)|([\d,]+(?:\.\d+)?) times", text)
    return [float((one or other).replace(",", "")) for one, other in found]


@pytest.mark.parametrize("against", [None, "second"])
@pytest.mark.parametrize("case", CASES.index.unique())
def test_the_account_of_every_published_case_is_whole_sentences_in_plain_words(case, against):
    findings = published(case)
    posterior = MODEL.posterior(findings)
    first, second, *_ = sorted(posterior, key=lambda state: -posterior[state])
    why = cc.explain(MODEL, findings, state=first, against=second if against else None)
    text = why.summary
    assert "  " not in text
    assert text.endswith(".")
    assert text == text.strip()
    assert not re.search(r"\b(nan|inf|none known|None)\b", text)
    assert ".." not in text
    assert not re.search(r"[a-z]_[a-z]", text)  # no variable or state by its name
    assert all(number >= 1 for number in numbers_of(text))
    left = text
    words = [phrase(MODEL.variables[own.variable], own) for own in why.findings]
    for known in sorted([*words, *map(capitalised, words), *posterior.labels.values()], key=len, reverse=True):
        left = left.replace(known, "")
    for group in why.frame["group"]:
        name = GROUPS.get(group, f"the {group}")
        left = left.replace(name, "").replace(capitalised(name), "")
    allowed = {*WORDS.split(), *(counted(number) for number in range(13))}
    assert set(re.findall(r"[a-z]+", re.sub(r"\d[\d,.]*", "", left).lower())) <= allowed
    # every number next to a finding is its factor, to two digits
    for line in why.frame.itertuples():
        for shown in re.findall(rf"{re.escape(line.finding)} (?:> )?[×÷]([\d,.]*\d)", text):
            factor = max(line.factor, 1 / line.factor)
            assert float(shown.replace(",", "")) == pytest.approx(factor, rel=0.06)
    first_against = re.search(r"[^.]*(?:strongest|is|are) evidence against", text)
    split = first_against.start() if first_against else len(text)
    side = [text[:split], *([text[split:]] if first_against else [])]
    for line in why.frame[why.frame["contribution"] > math.log(1.25)].head(6).itertuples():
        assert line.finding in side[0]
    against_it = why.frame[why.frame["contribution"] < -math.log(1.25)].head(6)
    assert all(finding in side[1] for finding in against_it["finding"])
    assert ("evidence for " in side[0]) == (why.frame["contribution"] > math.log(1.25)).any()
    assert (len(side) == 2) == (len(against_it) > 0)


def test_a_finding_is_called_redundant_only_if_it_changes_little_once_all_else_is_known():
    for case in CASES.index[::4]:
        why = cc.explain(MODEL, {n: v for n, v in CASES.loc[case].items() if n in MODEL.variables and v})
        told = re.search(r"([^.]*) adds? hardly anything", why.summary)
        for line in why.frame.itertuples():
            named = told is not None and line.finding.lower() in told[1].lower()
            little = abs(line.left_out) < abs(line.alone) / 10 and abs(line.alone) > math.log(1.25)
            assert named == little, (case, line.finding)


def test_the_account_is_among_the_plain_values():
    why = cc.explain(MODEL, pain="severe", esrd="yes", background=["esrd"])
    plain = why.to_dict()
    assert plain["summary"] == why.summary
    assert why.summary.startswith("With only the background known, ")
    assert plain["background"] == ["esrd"]
    assert [line["variable"] for line in plain["contributions"]] == ["pain"]


def test_the_rows_that_a_finding_weighs_through_are_its_own_first():
    """By hand: of a finding alone, its weight moves with the log-odds of its own entries by 1 - p each."""
    rows = cc.explain(MODEL, pain="severe", state="calciphylaxis", against="dystrophic").rows
    assert set(rows["variable"]) == {"pain"}
    assert rows["slope"].abs().is_monotonic_decreasing
    assert (rows["slope"].abs() >= 0.1).all()
    own = rows[rows["entry"].str.startswith("pain=severe@")]
    assert len(own)
    assert (np.sign(own.loc[own["entry"].str.contains("calciphylaxis"), "slope"]) > 0).all()


# phrases


@pytest.mark.parametrize(
    ("states", "value", "words"),
    [
        ("no yes", "yes", "fever"),
        ("no yes", "no", "no fever"),
        ("no yes", {"no", "yes"}, "fever (no or yes)"),
        ("no yes", {"no": 0.2, "yes": 0.8}, "fever (likelihoods no 0.25, yes 1)"),
        ("no yes", {"no": 0.0, "yes": 0.8}, "fever"),
        ("none some high", "some", "fever (some)"),
        ("none some high", {"none", "high"}, "fever (none or high)"),
        ("none some high", {"none": 1, "some": 1, "high": 1}, "fever (none, some or high)"),
    ],
)
def test_phrases(build, states, value, words):
    rows = np.full(len(states.split()), 1 / len(states.split()))
    model = cc.Model(build("d", {"d": ("s t", "", [0.5, 0.5]), "Fever": (states, "", rows)}))
    assert phrase(model.variables["Fever"], model.read(Fever=value)["Fever"]) == words


@pytest.mark.parametrize(
    ("results", "words"),
    [
        (["yes"], "look"),
        (["no", "no"], "look (no, twice)"),
        (["no"] * 5, "look (no, 5 times)"),
        (["no", "yes", "no"], "look (no, twice, yes, once)"),
        (["yes", {"no", "yes"}], "look (yes, once, no or yes, once)"),
    ],
)
def test_phrases_of_several_results(build, results, words):
    tables = {"d": ("s t", "", [0.5, 0.5]), "look": ("no yes", "d", [[0.8, 0.2], [0.3, 0.7]])}
    model = cc.Model(build("d", tables, repeatable=["look"]))
    assert phrase(model.variables["look"], model.read(look=results)["look"]) == words


def test_small_words():
    assert [uncapitalised(word) for word in ("Livedo", "CT", "X", "x-ray")] == ["livedo", "CT", "x", "x-ray"]
    assert [capitalised(word) for word in ("livedo", "CT", "")] == ["Livedo", "CT", ""]
    assert [counted(number) for number in (0, 1, 12, 13, 4096)] == ["no", "one", "twelve", "13", "4,096"]
    assert listed([]) == ""
    assert listed("abc", "or") == "a, b or c"


def test_silence_on_both_sides_names_the_variables_of_each():
    effects = [
        Contribution("reporting", "renal disease not mentioned", math.log(2.0)),
        Contribution("reporting", "seven other variables not mentioned", math.log(1.5)),
        Contribution("reporting", "tissue injury not mentioned", -math.log(3.0)),
        Contribution("examination", "pain", -math.log(2.0)),
    ]
    text = account(Hypothesis.of(["flu", "cold"], "flu", "cold"), {"flu": "flu", "cold": "a cold"}, 0.0, -0.7, effects)
    assert (
        "That the record does not mention renal disease (×2) or seven other variables (×1.5) is evidence for flu and "
        "makes a cold 3 times less likely relative to flu. That the record does not mention tissue injury is the "
        "strongest evidence against it and makes a cold 3 times more likely relative to flu. Further evidence against "
        "it: the examination: pain ÷2."
    ) in text
    further = account(
        Hypothesis.of(["flu", "cold"], "flu", "cold"), {"flu": "flu", "cold": "a cold"}, 0.0, -0.7, effects[::-1]
    )
    assert "Further evidence against it: not mentioned: tissue injury ÷3." in further


def test_the_target_as_a_finding_is_told_to_be_the_state():
    with pytest.raises(ValueError, match="subtype is what is explained: say state='calciphylaxis'"):
        cc.explain(MODEL, pain="severe", subtype="calciphylaxis")
