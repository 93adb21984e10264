"""Every page comes back from its link as it was, and no text makes a link do anything but open or be refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.interface.explorer.link import LONGEST, RANKINGS, LinkError, fragment_of, page_of
from calcinosis.interface.explorer.page import SILENT, TABS, Edit, Estimate, Page
from calcinosis.interface.explorer.session import Session
from calcinosis.knowledge.frozen import FrozenMap

HOSTILE = (
    "<script>window.__hacked=1</script>",
    "~&",
    "%",
    "%E0%A4%A",
    "\x00",
    "a=b=c",
    "=",
    "&",
    ";",
    "#",
    "\u202e",
    "🦴",
)


@st.composite
def texts_of(draw, model, name):
    """A finding of a variable as a text: a state, either of two, probably one, a number, several, or not known."""
    variable = model.variables[name]
    state, other = draw(st.permutations(variable.state_names))[:2]
    one = st.sampled_from([state, f"{state}/{other}", f"{state}:1,{other}:0.3"])
    if variable.repeatable:
        return draw(st.sampled_from(SILENT) | st.lists(st.sampled_from(variable.state_names), min_size=1).map(",".join))
    if variable.numeric and draw(st.booleans()):
        return f"{draw(st.sampled_from(NUMBERS[name]))} {variable.unit}"
    return draw(one | st.sampled_from(SILENT))


NUMBERS = {
    "age_group": ("0", "37", "59.5"),
    "serum_calcium": ("9.1", "12"),
    "serum_phosphate": ("2.5", "6"),
    "pth": ("30", "1200"),
}


@st.composite
def findings_of(draw, model):
    """Findings of a patient as the page has them."""
    seen = [name for name, own in model.variables.items() if name != model.target and own.group != "hidden"]
    names = draw(st.lists(st.sampled_from(seen), unique=True))
    found = {name: draw(texts_of(model, name)) for name in names}
    if draw(st.booleans()):
        found["albumin"] = "24 g/L"
    return FrozenMap(found)


@st.composite
def pages_of(draw, model):
    """Pages, but for what is only typed so far and what is only unfolded, which a link leaves out."""
    findings = draw(findings_of(model))
    repeated = [name for name in findings if name in model.variables and findings[name] not in SILENT]
    dated = draw(st.lists(st.sampled_from(repeated), unique=True)) if repeated else []
    variable = draw(st.sampled_from(sorted(model.priors.tables)))
    row = draw(st.sampled_from(model.priors.tables[variable].rows))
    edit = Edit(variable, row.given, row.probabilities, draw(st.sampled_from([0.5, 7.25, 1e3])))
    states = ("", *model.states)
    utilities = sorted(model.priors.decisions.utilities)
    return Page(
        findings=findings,
        dates=FrozenMap(dict.fromkeys(dated, ("2023-07-15",))),
        case=draw(st.sampled_from(["", "jones2023"])),
        estimate=draw(st.none() | st.builds(Estimate, st.sampled_from(model.states), st.integers(0, 100))),
        blind=draw(st.booleans()),
        tab=draw(st.sampled_from(list(TABS))),
        state=draw(st.sampled_from(states)),
        against=draw(st.sampled_from(states)),
        ranking=draw(st.sampled_from(RANKINGS)),
        away=draw(st.frozensets(st.sampled_from(sorted(model.priors.tests)))),
        utilities=FrozenMap(draw(st.dictionaries(st.sampled_from(utilities), st.sampled_from([0.0, 12.5, 100.0])))),
        unavailable=draw(st.frozensets(st.sampled_from(["iv_sts", "excision", "biopsy_first"]))),
        other=draw(st.none() | findings_of(model)),
        edits=draw(st.sampled_from([(), (edit,)])),
        table=draw(st.sampled_from(["", *model.variables])),
    )


@given(data=st.data())
@examples(60)
def test_every_page_comes_back_from_its_link(data, shipped):
    page = data.draw(pages_of(shipped))
    digest = Session(shipped, page).situation.model.digest
    assert page_of(fragment_of(page, digest), shipped) == (page, "")


def test_the_empty_page_has_no_link(shipped):
    assert fragment_of(Page(), shipped.digest) == ""
    assert page_of("", shipped) == (Page(), "")


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("~utilities=infusions:101", "'infusions:101', which is no utility"),
        ("~utilities=infusion:1", "'infusion:1', which is no utility"),
        ("~utilities=infusions:nan", "'infusions:nan', which is no utility"),
        ("~utilities=infusions:1;infusions:2", "'infusions:2', which is no utility"),
        ("~utilities=infusions", "'infusions', which is no utility"),
        ("~unavailable=prayer", "'prayer', which is none of this page"),
        ("~unavailable=wound_care;iv_sts;excision;intralesional_sts;treat_minerals", "leaves no treatment to choose"),
    ],
)
def test_a_link_with_utilities_or_actions_that_are_none_is_refused(link, told, shipped):
    with pytest.raises(LinkError, match=told):
        page_of(link, shipped)


def opened(text, model):
    """The page that a link holds and the notice of it; no page and the reason, if it is refused."""
    try:
        return page_of(text, model)
    except LinkError as error:
        return None, str(error)


def words_of(model):
    """Parts of links: names, values, and what neither is."""
    names = [*model.names, *(f"~{own}" for own in (*Page.__dataclass_fields__, "priors")), "form", "subtype", *HOSTILE]
    values = [
        "yes",
        "severe",
        "unknown",
        "9.1 mg/dL",
        "absent,absent",
        "a:1,b:0.5",
        "~&pain=severe",
        "nan mg/dL",
        *HOSTILE,
    ]
    edits = [
        "pain::0.5:0.5:1",
        "livedo:dystrophic:0.5:0.5:nan",
        "livedo:metastatic/idiopathic/iatrogenic:.9:.1:50",
        "livedo:metastatic/idiopathic:.9:.1:50",
        "vessel_calcification:calciphylaxis,any:.1:.9:50",
        "livedo:any:1:0:5",
        "pain:a/b",
        "pain",
    ]
    fields = st.tuples(st.sampled_from(names), st.sampled_from(["=", "", "=="]), st.sampled_from(values + edits))
    return st.lists(fields.map("".join), max_size=6).map("&".join)


@given(data=st.data())
@examples(300)
def test_a_text_is_opened_or_refused_in_words(data, shipped):
    text = data.draw(st.text() | words_of(shipped))
    page, words = opened(text, shipped)
    assert len(words) < 400
    if page is None:
        assert words.startswith("The link ")
    else:
        # what was opened can be shown, and its own link opens it again
        assert opened(fragment_of(page, shipped.digest), shipped)[0] == page


@given(text=st.text())
@examples(30)
@example(text="pain=severe&~estimate=calciphylaxis:٣")
@example(text="~edits=pain")
@example(text="~dates=pain:2023-07-15")
@example(text="subtype=dystrophic")
@example(text="pain=" + "9" * 7000)
def test_a_page_that_gets_any_link_answers(text, shipped):
    session = Session(shipped)
    session.first()
    reply = session.handle({"do": "link", "fragment": text, "seq": 1})
    assert reply["seq"] == 1
    assert "made an error" not in reply["regions"]["notice"]


@pytest.mark.parametrize("length", [LONGEST + 1, 1_000_000])
def test_a_link_that_is_too_long_is_not_read(shipped, length):
    with pytest.raises(LinkError, match="too long"):
        page_of("x" * length, shipped)


@pytest.mark.parametrize(
    ("fragment", "what"),
    [
        (f"vascular_histology={','.join(['absent'] * 101)}", "more than 100 results"),
        (f"serum_calcium=1{'%20' * 2_100}a%0Ab", "more than 2,000 characters"),
        ("vascular_histology=absent&~dates=vascular_histology:2023-07-15/2023-07-16", "more days than results"),
        ("pain=severe&~estimate=calciphylaxis:%C2%B2", "an estimate that is none"),
    ],
    ids=["results", "characters", "days", "superscript"],
)
def test_a_link_is_limited_finding_by_finding(fragment, what):
    with pytest.raises(LinkError, match=what):
        page_of(fragment, cc.load())
