"""Every pitfall of what-if pages that others fell into, where it is seen in a browser.

Those that can be seen without one are in `tests/interface/explorer/test_pitfalls.py`.
"""

from __future__ import annotations

import json
import math
import re

import pytest

from calcinosis.inference.numbers import percent
from calcinosis.interface.explorer.page import TABS

pytestmark = pytest.mark.browser

SLOWLY = """
import time
from calcinosis.interface.explorer.session import Session
begin = Session.begin
def slowly(self, message):
    time.sleep(1.0 if message.get("value") == "severe" else 0.0)
    return begin(self, message)
Session.begin = slowly
"""
"""Python that makes one click take the program a second."""

FINISHED_SLOWLY = """
import time
from calcinosis.interface.explorer.session import Session
finish = Session.finish
def slowly(self):
    time.sleep(1.0 if "pain" in self.page.findings else 0.0)
    return finish(self)
Session.finish = slowly
"""
"""Python that makes all but the bars take a second, once pain is known."""

PAIN, LIVEDO, ULCER = "Pain of the lesion", "Livedo", "Ulceration"

MANY = {
    "care_setting": "dialysis_unit",
    "esrd": "yes",
    "warfarin": "yes",
    "weight_loss": "yes",
    "diabetes": "yes",
    "obesity": "yes",
    "sex": "female",
    "age_group": "older",
    "serum_phosphate": "6.1 mg/dL",
    "pth": "high",
    "pain": "severe",
    "ulceration": "yes",
    "livedo": "yes",
    "lesion_site": "proximal_adipose",
    "radiograph": "vascular_netlike",
    "vascular_histology": "intramural_calcification,intramural_calcification,absent",
    "vasculopathy": "yes",
}
"""Findings of which one subtype is all but sure."""


def test_bars_on_a_stretched_axis(page, link_of, model):
    """Pitfall: bars on a stretched axis. Every bar is as long as it is probable, all on the same track."""
    for findings in ({}, {"sex": "female"}, {"cirrhosis": "yes", "pain": "none"}, MANY):
        page.open(link_of(**findings))
        page.shows(model.posterior(findings))


def test_the_marks_stand_on_the_same_scale(page, link_of, model):
    """Pitfall: bars on a stretched axis. So do the prior, the interval, and what a preview shows."""
    page.open(link_of(cirrhosis="yes"))
    posterior = model.posterior(cirrhosis="yes")
    for state, left, lower, upper, track in page.window.locator(".bars").evaluate(_MARKS):
        assert abs(left - track * model.probabilities()[state]) <= 1.5
        assert abs(lower - track * posterior.limits()[state]["lower"]) <= 1.5
        assert abs(upper - track * posterior.limits()[state]["upper"]) <= 2.5  # at least two pixels of it are shown
    page.radio(PAIN, "severe").hover()
    then = model.posterior(cirrhosis="yes", pain="severe")
    for (state, left, track), shown in zip(page.window.locator(".bars").evaluate(_GHOSTS), page.bars(), strict=True):
        assert abs(left - track * then[state]) <= 1.5
        assert shown.track == track, "a preview moves no bar"
    page.shows(posterior)


def test_what_does_not_matter_is_not_blown_up_and_nothing_is_no_number(page, server):
    """Pitfall: relevance normalised to 100 %, 0/0 when no finding matters. No view of the empty page has a NaN."""
    page.open(server.url)
    for title in TABS.values():
        page.press(title, "tab")
        assert not re.search(r"\bnan\b|\binf\b|undefined|\[object", page.text(), flags=re.IGNORECASE), title


@pytest.mark.parametrize("findings", [{}, MANY], ids=["nothing", "many"])
def test_nothing_is_ever_quite_sure(page, link_of, findings):
    """Pitfall: '0%', '100%', '0+'. A probability is never shown as 0 or 1, in no view."""
    page.open(link_of(**findings))
    shown = {bar.percent for bar in page.bars()}
    if findings:
        assert "> 99%" in shown
        assert "< 1%" in shown
    for title in list(TABS.values())[:3]:
        page.press(title, "tab")
        exact = re.findall(r"(?<![\d.,–-])(?:0|100)(?:\.0+)? ?%.{,20}", page.words("answer") + page.words("panel"))
        assert not exact, title


def test_unknown_is_not_absent(page, server, model):
    """Pitfall: unknown silently counted as absent. It leaves the bars alone, and is kept apart from not asked."""
    page.open(server.url)
    for label in (PAIN, LIVEDO, "Vessels on biopsy"):
        page.choose(label, "unknown")
        page.shows(model.posterior())
    assert page.finding(LIVEDO).get_attribute("class") == "finding unknown"
    assert page.finding(ULCER).get_attribute("class") == "finding not-asked"
    page.choose(LIVEDO, "no")
    page.shows(model.posterior(livedo="no"))
    page.choose(LIVEDO, "not asked")
    page.shows(model.posterior())


def test_a_new_patient_is_a_fresh_page(page, window_of, server):
    """Pitfall: findings survive a reset or a new patient. Nothing is left, and nothing leads back to the last one."""
    fresh = window_of().open(server.url).look()
    page.open(server.url)
    page.choose(PAIN, "severe").choose(LIVEDO, "unknown").add("Vessels on biopsy", "no calcium in vessel walls")
    page.type_number("Serum calcium", "12", "mg/dL").type_number("Serum phosphate", "6")
    page.window.get_by_role("button", name="What Cirrhosis means").click()
    page.window.get_by_label("Pain of the lesion: either of, probably …").click()
    page.window.get_by_text("Your own first estimate").click()
    page.window.get_by_label("I think it is").select_option("metastatic")
    page.press("Note it")
    page.press("What if", "tab")
    page.search("pain")
    assert page.look() != fresh

    page.new_patient()
    assert page.look() == fresh
    assert page.fragment == ""
    assert page.window.get_by_role("button", name="Undo").is_disabled()

    for _ in range(3):
        page.window.go_back()
        page.window.wait_for_timeout(100)
        assert page.bars() == window_bars(window_of, server)
        assert "earlier patient" in page.notice
        assert page.fragment == ""
    page.window.get_by_role("button", name="New patient").focus()
    with page.answered():
        page.window.keyboard.press("Control+z")
    assert page.notice == "There is nothing to undo."
    page.reload()
    assert page.look() == fresh


def window_bars(window_of, server):
    """The bars of a page that was just opened."""
    return window_of().open(server.url).bars()


def test_old_results_are_never_shown_as_new(page, serve, model):
    """Pitfall: old results shown after a change. What is slow is marked as old until the new answer is there."""
    page.open(serve(before=SLOWLY).url)
    with page.answered(3):
        page.radio(PAIN, "severe").click()
        page.window.wait_for_selector(".explorer.updating")
        page.shows(model.posterior())
        answer = page.window.locator('[data-region="answer"]')
        assert float(answer.evaluate("own => getComputedStyle(own).opacity")) < 0.6
        assert "updating" in page.window.locator(".verdict").evaluate("own => getComputedStyle(own, '::after').content")
        # what is clicked meanwhile is neither lost, nor taken back for a moment by the first answer
        page.radio(LIVEDO, "yes").click()
        page.radio(ULCER, "yes").click()
        assert page.radio(ULCER, "yes").is_checked()
    page.shows(model.posterior(pain="severe", livedo="yes", ulceration="yes"))
    assert float(answer.evaluate("own => getComputedStyle(own).opacity")) == 1


def test_what_comes_after_the_bars_is_marked_as_old_until_it_is_there(page, serve, model):
    """Pitfall: old results shown after a change. The bars come first; if all else is slow, the verdict says so."""
    page.open(serve(before=FINISHED_SLOWLY).url)
    with page.answered():
        page.radio(PAIN, "severe").click()
        page.window.wait_for_selector('.explorer.updating[data-bars="2"]')
        page.shows(model.posterior(pain="severe"))
        assert "updating" in page.window.locator(".verdict").evaluate("own => getComputedStyle(own, '::after').content")
    page.shows(model.posterior(pain="severe"))


def test_clicks_that_come_faster_than_answers_all_count(page, server, model):
    """Pitfall: old results shown after a change. The last answer is that to all clicks."""
    page.open(server.url)
    names = [name for name in MANY if "," not in MANY[name] and "dL" not in MANY[name]]
    with page.answered(len(names)):
        page.window.locator(".entry").evaluate(
            "(entry, chosen) => chosen.forEach(([name, state]) => "
            "entry.querySelector(`[name='f-${name}'][value='${state}']`).click())",
            [[name, MANY[name]] for name in names],
        )
    page.shows(model.posterior({name: MANY[name] for name in names}))
    page.reload().shows(model.posterior({name: MANY[name] for name in names}))


def test_a_text_of_any_length_is_refused_in_words(page, server, model):
    """Pitfall: unit or decimal slip. What was pasted by mistake neither stops the page nor the program."""
    page.open(server.url).type_number("Serum calcium", "9" * 500_000)
    assert "too long" in page.notice
    page.choose(PAIN, "severe")
    page.shows(model.posterior(pain="severe"))


def test_the_same_case_twice_gives_the_same_digits(page, window_of, link_of):
    """Pitfall: sampling noise shown as change. The same findings give the same page, to the last digit."""
    one = page.open(link_of(**MANY))
    other = window_of().open(link_of(**MANY))
    assert one.look() == other.look()
    one.choose(PAIN, "none", "severe")
    widths = "bars => [...bars.querySelectorAll('.fill, .interval, .prior')].map(own => own.getAttribute('style'))"
    assert one.window.locator(".bars").evaluate(widths) == other.window.locator(".bars").evaluate(widths)


def test_an_impossible_combination_names_the_smallest_clash_and_offers_to_drop_one(page, serve, with_a_zero):
    """Pitfall: impossible combination gives NaN, blank or a crash."""
    page.open(serve(priors=with_a_zero).url)
    page.choose("Sex", "female").choose(LIVEDO, "yes").choose(ULCER, "no")
    page.choose(PAIN, "severe")
    assert page.headline.startswith("These findings cannot be true together: ")
    assert "pain" in page.headline.lower()
    assert "ulceration" in page.headline.lower()
    assert "livedo" not in page.headline.lower()
    assert page.window.locator(".bar").count() == 0
    assert "nan" not in page.text().lower().split()
    offers = page.window.locator(".answer").get_by_role("button")
    assert offers.count() == 2
    for title in TABS.values():
        page.press(title, "tab")  # no view fails for it
    with page.answered():
        offers.filter(has_text="pain").click()
    assert len(page.bars()) == 5
    assert page.radio(PAIN, "not asked").is_checked()
    assert page.radio(ULCER, "no").is_checked()


def test_the_answer_can_be_kept_back_until_the_user_has_said_his(page, server):
    """Pitfalls: anchoring on the list; support that comes after the decision; trust that was never put to the test.

    The user may be asked first: then neither bars nor preview nor view is shown before he has said what he thinks.
    """
    page.open(server.url)
    page.window.get_by_text("Your own first estimate").click()
    with page.answered():
        page.window.get_by_label("ask me first").check()
    page.choose(PAIN, "severe")
    assert page.window.locator(".bar").count() == 0
    page.radio(LIVEDO, "yes").hover()
    assert page.window.locator("#preview").inner_text() == ""
    assert not re.search(r"\d ?%", page.words("answer") + page.words("panel"))
    page.window.get_by_label("I think it is").select_option("calciphylaxis")
    page.window.get_by_role("spinbutton", name="with %").fill("80")
    page.press("Note it")
    assert len(page.bars()) == 5
    assert "You said calciphylaxis 80%" in page.words("about")


def test_before_any_biopsy_there_is_an_answer_and_its_runner_up(page, link_of, model):
    """Pitfalls: usable only once it is too late; anchoring on the first. The verdict names who else may be meant."""
    findings = {"cirrhosis": "yes", "pain": "intermittent", "ulceration": "yes"}
    page.open(link_of(**findings))
    posterior = model.posterior(findings)
    _, second, *_ = sorted(posterior, key=lambda state: -posterior[state])
    assert f"{posterior.labels[second].lower()} ({percent(posterior[second])})" in page.words("about").lower()


def test_a_sentence_for_the_patient(page, link_of):
    """Pitfall: percentages nobody can pass on. A sentence tells how many of 100 patients; a picture shows them."""
    page.open(link_of(**MANY | {"vascular_histology": "absent"}))
    page.window.get_by_text("As numbers of patients").click()
    sentence = page.window.get_by_text("Of 100 patients like this one").inner_text()
    assert sum(map(int, re.findall(r"(\d+) ha(?:s|ve)", sentence))) == 100
    assert page.window.locator(".dots .dot").count() == 100


def test_as_many_findings_as_there_are_and_a_reload_keeps_them(page, link_of, model):
    """Pitfall: only one finding at a time; work lost on reload. All of it stands in the address."""
    page.open(link_of(**MANY))
    page.choose("Malignancy", "yes").type_number("Serum calcium", "11,2", "mg/dL").press("What if", "tab")
    findings = MANY | {"malignancy": "yes", "serum_calcium": "11.2 mg/dL"}
    page.shows(model.posterior(findings))
    before = page.look()
    page.reload()
    page.shows(model.posterior(findings))
    after = page.look()
    page.press("Why", "tab")
    assert {**after, "chosen": before["chosen"]} == {**before, "patient": after["patient"], "entry": after["entry"]}
    assert after["chosen"] == before["chosen"]


def test_a_number_with_comma_or_point_is_the_same_number(page, server, model):
    """Pitfall: unit or decimal slip. Comma and point are both read; one that may be a thousand is asked back."""
    page.open(server.url).type_number("Serum calcium", "11,2", "mg/dL")
    page.shows(model.posterior(serum_calcium="11.2 mg/dL"))
    assert page.echo("Serum calcium") == "11.2 mg/dL → high"
    page.type_number("Serum calcium", "8.2")
    page.shows(model.posterior(serum_calcium="8.2 mg/dL"))
    page.type_number("Serum calcium", "1,234")
    page.shows(model.posterior())
    assert "1234" in page.fault("Serum calcium")
    assert page.echo("Serum calcium") == ""


def test_a_number_without_a_unit_or_out_of_any_range_is_no_finding(page, server, model):
    """Pitfall: unit or decimal slip. A unit is never assumed; what cannot be is asked back, and kept as typed."""
    page.open(server.url).type_number("Serum calcium", "2,27")
    page.shows(model.posterior())
    assert page.fault("Serum calcium") == "Choose its unit: it is never assumed."
    page.choose_unit("Serum calcium", "mg/dL")
    page.shows(model.posterior())
    assert "4" in page.fault("Serum calcium")  # the least that is believed, in mg/dL
    assert page.window.get_by_label("Serum calcium as a number").input_value() == "2.27"
    page.choose_unit("Serum calcium", "mmol/L")
    page.shows(model.posterior(serum_calcium="2.27 mmol/L"))
    assert page.fault("Serum calcium") == ""
    page.type_number("Serum phosphate", "547.87", "mg/dL")
    page.shows(model.posterior(serum_calcium="2.27 mmol/L"))
    assert page.fault("Serum phosphate")
    page.type_number("Parathyroid hormone", "much", "pg/mL")
    page.shows(model.posterior(serum_calcium="2.27 mmol/L"))
    assert page.fault("Parathyroid hormone")


def test_another_unit_converts_the_number(page, server, model):
    """Pitfall: unit or decimal slip. A changed unit leaves the amount: the number is converted, and echoed."""
    page.open(server.url).type_number("Serum calcium", "11.2", "mg/dL")
    page.choose_unit("Serum calcium", "mmol/L")
    assert page.window.get_by_label("Serum calcium as a number").input_value() == "2.795"
    page.shows(model.posterior(serum_calcium="11.2 mg/dL"))
    assert page.echo("Serum calcium") == "2.795 mmol/L → 11.2 mg/dL → high"
    page.type_number("Albumin", "24", "g/L")
    page.shows(model.posterior(serum_calcium="2.795 mmol/L", albumin="24 g/L"))
    assert "corrected for albumin 24 g/L" in page.echo("Serum calcium")


def test_what_was_typed_goes_with_the_finding(page, server):
    """Pitfall: unit or decimal slip. No number stays in its field once it is no finding any more."""
    page.open(server.url).type_number("Serum calcium", "11.2", "mg/dL")
    field = page.window.get_by_label("Serum calcium as a number")
    with page.answered():
        field.fill("12")
        field.press("Enter")
    with page.answered():
        page.window.go_back()
    assert field.input_value() == "11.2"
    page.choose("Serum calcium", "normal")
    assert field.input_value() == ""


def test_whole_percent_on_the_screen(page, link_of):
    """Pitfall: precision beyond the sources. Percentages are whole numbers, in every view."""
    page.open(link_of(**MANY))
    for title in list(TABS.values())[:3]:
        page.press(title, "tab")
        shown = page.words("answer") + page.words("about") + page.words("panel")
        assert not re.findall(r".{,30}\d[.,]\d+ ?%", shown), title
        assert all(re.fullmatch(r"(?:< 1|> 99|\d\d?)%", bar.percent) for bar in page.bars())


def test_one_trivial_finding_is_a_short_bar(page, link_of):
    """Pitfall: relevance normalised to 100 %, which hides that nothing matters."""
    page.open(link_of(sex="female"))
    width, room = page.window.locator(".why .lever").first.evaluate(
        "own => [own.querySelector('i').getBoundingClientRect().width, own.getBoundingClientRect().width]"
    )
    assert width < 0.1 * room


def test_against_has_the_weight_of_for(page, link_of):
    """Pitfall: anchoring; explanation as persuasion. What speaks against stands beside what speaks for."""
    page.open(link_of(**MANY | {"esrd": "no", "weight_loss": "no", "livedo": "no"}))
    sides = page.window.locator(".why .side").evaluate_all(_SIDES)
    assert [own["name"] for own in sides] == ["for", "against"]
    speaks_for, against = sides
    for what in ("top", "width", "size", "room"):
        assert speaks_for[what] == pytest.approx(against[what], abs=1), what
    for side in sides:
        assert side["levers"], side["name"]
        for nats, width in side["levers"]:
            # both on one scale, whose end is a factor of 30
            assert abs(width - min(1, abs(nats) / math.log(30)) * side["room"]) <= 2.5, (side["name"], nats)


def test_both_ends_of_a_tornado_are_labelled(page, link_of):
    """Pitfall: tornado bars misread. Each end has the value of the parameter and the probability that it leads to."""
    page.open(link_of(cirrhosis="yes", pain="intermittent")).press("Sensitivity", "tab")
    rows = page.window.locator(".tornado > li").all()
    assert rows
    for row in rows:
        for end, which in ((".from", "(lower|upper)"), (".to", "(lower|upper)")):
            words = row.locator(end).text_content()
            assert re.fullmatch(rf"{which} limit [\d.< >%]+ → (?:< 1|> 99|\d\d?)%", words.strip()), words
        assert row.locator(".from").text_content().split()[0] != row.locator(".to").text_content().split()[0]


def test_the_answer_is_drawn_in_bars(page, link_of):
    """Pitfall: pies for near-equal states. Nothing in the answer is drawn but bars with their numbers."""
    page.open(link_of(**MANY))
    assert page.window.locator(".answer svg, .answer canvas, .answer img").count() == 0
    assert page.window.locator('.answer [role="list"] > [role="listitem"]').count() == 5


def test_the_graph_is_not_in_the_way_and_stays_where_it_is(page, server):
    """Pitfall: the graph as main view. It is shown only if asked for, and no click moves its nodes."""
    page.open(server.url)
    assert page.window.locator("svg.network").count() == 0
    page.press("Network", "tab")
    places = "svg => [...svg.querySelectorAll('.node')].map(own => own.getAttribute('transform'))"
    before = page.window.locator("svg.network").evaluate(places)
    page.choose(PAIN, "severe").choose(LIVEDO, "yes").choose(ULCER, "yes")
    assert page.window.locator("svg.network").evaluate(places) == before
    assert len(set(before)) == len(before)


def test_what_is_saved_has_full_digits_and_the_report_prints_a_sentence_for_the_patient(page, link_of, model):
    """Pitfalls: precision beyond the sources, which is for the file only; percentages nobody can pass on."""
    page.open(link_of(**MANY))
    page.window.get_by_text("Copy, print, save").click()
    with page.window.expect_download() as saved:
        page.press("JSON")
    content = json.loads(saved.value.path().read_text(encoding="utf-8"))
    assert content["probabilities"] == dict(model.posterior(MANY).probabilities_of)
    with page.window.expect_download() as saved:
        page.press("Report to print")
    report = saved.value.path().read_text(encoding="utf-8")
    assert saved.value.suggested_filename.endswith(".html")
    assert "Of 100 patients like this one" in report
    page.press("Copy summary")
    page.window.locator(".notice").wait_for()
    copied = page.window.evaluate("navigator.clipboard.readText()")
    assert len(copied.strip().splitlines()) == 5
    assert "Of 100 patients like this one" in copied


_MARKS = """bars => [...bars.querySelectorAll(".bar")].map(bar => {
    const track = bar.querySelector(".track").getBoundingClientRect();
    const prior = bar.querySelector(".prior").getBoundingClientRect();
    const interval = bar.querySelector(".interval").getBoundingClientRect();
    return [bar.dataset.state, (prior.left + prior.right) / 2 - track.left, interval.left - track.left,
            interval.right - track.left, track.width];
})"""

_GHOSTS = """bars => [...bars.querySelectorAll(".bar")].map(bar => {
    const track = bar.querySelector(".track").getBoundingClientRect();
    const ghost = bar.querySelector(".ghost").getBoundingClientRect();
    return [bar.dataset.state, (ghost.left + ghost.right) / 2 - track.left, track.width];
})"""

_SIDES = """sides => sides.map(side => ({
    name: side.classList.contains("for") ? "for" : "against",
    top: side.getBoundingClientRect().top,
    width: side.getBoundingClientRect().width,
    size: parseFloat(getComputedStyle(side.querySelector(".factor")).fontSize),
    room: side.querySelector(".lever").getBoundingClientRect().width,
    levers: [...side.querySelectorAll(":scope > ul > li")].map(line => [
        parseFloat(line.querySelector(".nats").firstChild.textContent.replace("−", "-")),
        line.querySelector(".lever i").getBoundingClientRect().width]),
}))"""
