"""Everybody can use the page: no serious fault for axe-core, all of it by keyboard, at any width, light and dark."""

from __future__ import annotations

import pytest

from calcinosis.interface.explorer.page import TABS

pytestmark = pytest.mark.browser

SERIOUS = ("serious", "critical")

WIDTHS = (360, 1024, 1280, 1920)

CASE = {
    "care_setting": "hospital_inpatient",
    "cirrhosis": "yes",
    "weight_loss": "yes",
    "sex": "unknown",
    "age_group": "37 years",
    "serum_calcium": "9.1 mg/dL",
    "pain": "intermittent/severe",
    "ulceration": "yes",
    "vascular_histology": "absent,absent,absent",
}


HOST = ".bk-panel-models-esm-ReactiveESM"
"""The element in which Panel shows the page, behind whose shadow axe-core has to look."""


def faults(page, part=None, rules=()):
    """The serious faults that axe-core finds in the page, or in a part of it, by all of its rules, or by some."""
    from axe_playwright_python.sync_playwright import Axe

    if not page.window.evaluate("'axe' in window"):
        page.window.evaluate(f"{Axe().axe_script}; 0")
    found = page.window.evaluate(
        "([part, options]) => axe.run(part ?? document, options).then(found => found.violations)",
        [
            part and {"fromShadowDom": [HOST, part]},
            {"resultTypes": ["violations"], "selectors": False} | ({"runOnly": list(rules)} if rules else {}),
        ],
    )
    return [
        f"{own['id']}: {own['help']}: {'; '.join(node['html'][:160] for node in own['nodes'][:3])}"
        for own in found
        if own["impact"] in SERIOUS
    ]


def test_axe_sees_behind_the_shadow(page, server):
    """The tests below would find a fault, if there were one."""
    page.open(server.url)
    page.window.locator("#panel").evaluate("panel => panel.append(document.createElement('input'))")
    assert [own for own in faults(page, "#panel") if own.startswith("label: ")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(window_of, link_of, scheme):
    page = window_of(color_scheme=scheme).open(link_of())
    assert not faults(page), "the empty page"
    page.open(link_of(**CASE))
    unfold(page)
    for title in TABS.values():
        page.press(title, "tab")
        for width in (360, 1280):
            page.window.set_viewport_size({"width": width, "height": 900})
            part = "#panel" if title != "Why" else None  # the rest of the page is the same with each
            rules = ["color-contrast"] if scheme == "dark" else ()  # all else is as it is in the light
            assert not faults(page, part, rules), f"{title}, {width} px"


def test_axe_finds_no_serious_fault_where_something_is_wrong(page, link_of):
    page.open(link_of(**CASE)).type_number("Serum phosphate", "999", "mg/dL")
    with page.answered():
        page.window.evaluate("location.hash = 'pain=dreadful'")
    assert page.notice
    page.type_number("Serum phosphate", "999", "mg/dL")
    page.window.get_by_label("Vitamin K antagonist: either of, probably …").click()
    page.radio("Livedo", "yes").hover()
    assert not faults(page)


def unfold(page):
    """Unfold everything about the answer, and one finding."""
    for details in page.window.locator(".about details, #take-away, #f-pain-more, #f-pain-expert").all():
        details.evaluate("own => { own.open = true; }")


def focused(page):
    """What has the focus: its id, its name and value, or its text."""
    return page.window.locator(".explorer").evaluate(
        "root => { const own = root.getRootNode().activeElement; return own && "
        "(own.id || (own.name && own.name + '=' + own.value) || own.textContent.trim()); }"
    )


def test_everything_can_be_reached_by_keyboard(page, link_of):
    page.open(link_of(**CASE))
    reached = []
    for _ in range(400):
        page.window.keyboard.press("Tab")
        name = focused(page)
        if name is None or (reached and name == reached[0]):
            break
        reached.append(name)
    for name in ("new", "undo", "case", "search", "theme", "f-serum_calcium-number", "f-serum_calcium-unit", "tab-why"):
        assert name in reached or (name == "undo" and page.window.locator("#undo").is_disabled()), name
    assert "f-vascular_histology-add-absent" in reached
    assert "f-vascular_histology-drop-2" in reached
    findings = page.window.locator("[data-finding]").evaluate_all("all => all.map(own => own.id)")
    assert [own for own in findings if not any(name.startswith(own) for name in reached)] == []
    assert reached.index("search") < reached.index("f-serum_calcium-number") < reached.index("tab-why")


def test_the_first_finding_is_chosen_by_arrow_keys_with_a_preview_on_the_way(page, server, model):
    page.open(server.url)
    while not (focused(page) or "").startswith("f-care_setting="):
        page.window.keyboard.press("Tab")
    preview = page.window.locator("#preview")
    assert "What if: Care setting" in preview.inner_text()
    states = page.finding("Care setting").get_by_role("radio").evaluate_all("all => all.map(own => own.value)")
    for state in states[1:]:
        with page.answered():
            page.window.keyboard.press("ArrowRight")
        assert focused(page) == f"f-care_setting={state}", "the focus stays where it is"
    page.shows(model.posterior(care_setting=states[-1]))
    with page.answered():
        page.window.keyboard.press("ArrowLeft")
    page.shows(model.posterior(care_setting=states[-2]))


def test_a_finding_is_found_chosen_and_undone_by_keyboard(page, server, model):
    page.open(server.url)
    page.window.get_by_label("Find a finding").focus()
    page.window.keyboard.type("livedo")
    assert page.window.locator("[data-finding]:visible").count() == 1
    page.window.keyboard.press("Enter")
    assert focused(page).startswith("f-livedo=")
    assert "What if: Livedo" in page.window.locator("#preview").inner_text()
    page.window.keyboard.press("Escape")
    assert page.window.locator("#preview").inner_text() == ""
    page.radio("Livedo", "yes").focus()
    with page.answered():
        page.window.keyboard.press("Space")
    page.shows(model.posterior(livedo="yes"))
    with page.answered():
        page.window.keyboard.press("Control+z")
    page.shows(model.posterior())
    with page.answered():
        page.window.keyboard.press("Control+Shift+z")
    page.shows(model.posterior(livedo="yes"))


def test_a_search_goes_through_the_words_of_findings_only(page, server):
    page.open(server.url)
    found = page.window.locator("[data-finding]:visible")
    for words, names in (
        ("LIVEDO", {"livedo"}),
        ("hip", {"lesion_site"}),
        ("intact para", {"pth"}),
        ("dialysis", {"care_setting", "esrd", "pth"}),
        ("not asked", set()),
        ("likelihoods", set()),
    ):
        page.search(words)
        assert set(found.evaluate_all("all => all.map(own => own.dataset.finding)")) == names, words
        assert page.window.get_by_text("No finding has this word.").is_visible() == (not names)
    page.search("")
    assert found.count() == page.window.locator("[data-finding]").count()


def test_a_result_that_is_taken_away_by_keyboard_leaves_the_focus_near(page, link_of, model):
    page.open(link_of(vascular_histology="absent"))
    page.window.locator("#f-vascular_histology-drop-0").focus()
    with page.answered():
        page.window.keyboard.press("Enter")
    page.shows(model.posterior())
    assert focused(page).startswith("f-vascular_histology")


def test_tabs_are_chosen_by_arrow_keys(page, link_of):
    page.open(link_of(**CASE))
    page.window.get_by_role("tab", name="Why").focus()
    names = list(TABS)
    for name in [*names[1:], names[0]]:
        with page.answered():
            page.window.keyboard.press("ArrowRight")
        assert focused(page) == f"tab-{name}"
        assert page.window.locator(f"#tab-{name}").get_attribute("aria-selected") == "true"
    with page.answered():
        page.window.keyboard.press("End")
    assert focused(page) == f"tab-{names[-1]}"
    with page.answered():
        page.window.keyboard.press("Home")
    assert focused(page) == f"tab-{names[0]}"


def test_nothing_has_to_be_scrolled_sideways(page, link_of):
    page.open(link_of(**CASE))
    unfold(page)
    for title in TABS.values():
        page.press(title, "tab")
        for width in WIDTHS:
            page.window.set_viewport_size({"width": width, "height": 900})
            wide = page.window.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{title}: {wide} px: {sticking_out(page, width)}"


def sticking_out(page, width):
    """What stands further right than the window, by its class or id."""
    return page.window.locator(".explorer").evaluate(
        "(root, width) => [...root.querySelectorAll('*')].filter(own => own.getBoundingClientRect().right > width + 1)"
        ".slice(0, 5).map(own => own.nodeName + ' ' + (own.id || own.className))",
        width,
    )


@pytest.mark.parametrize("size", [(360, 740), (800, 600), (1280, 900)])
def test_what_has_the_focus_is_never_behind_the_answer(window_of, link_of, size):
    page = window_of(*size).open(link_of(**CASE))
    for key in ("Tab", "Shift+Tab"):
        for _ in range(80):
            page.window.keyboard.press(key)
            hidden = page.window.locator(".explorer").evaluate(_HIDDEN)
            assert not hidden, f"{key}: {focused(page)} lies behind {hidden}"


_HIDDEN = """root => {
    const own = root.getRootNode().activeElement;
    if (!own || !root.contains(own)) return null;
    const box = own.getBoundingClientRect();
    const preview = root.querySelector("#preview").getBoundingClientRect();  // clicks go through it
    const beside = preview.bottom <= box.top || preview.top >= box.bottom || preview.left >= box.right;
    if (preview.height > 0 && !beside) return "the preview";
    const above = root.getRootNode().elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    const near = own.closest("label, fieldset, section, header, [role=tablist]");
    return above && (near.contains(above) || above.contains(own)) ? null : above?.className ?? "nothing";
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_focus_is_seen(window_of, link_of, scheme):
    page = window_of(color_scheme=scheme).open(link_of())
    seen = """root => {
        const own = root.getRootNode().activeElement;
        const drawn = own.matches("label.choice input") ? own.nextElementSibling : own;
        const style = getComputedStyle(drawn);
        return [style.outlineStyle, parseFloat(style.outlineWidth), style.outlineColor,
                getComputedStyle(root).backgroundColor];
    }"""
    for _ in range(40):
        page.window.keyboard.press("Tab")
        style, width, colour, ground = page.window.locator(".explorer").evaluate(seen)
        assert style == "solid", focused(page)
        assert width >= 2, focused(page)
        assert contrast(colour, ground) >= 3, focused(page)


def contrast(one, other):
    """The contrast of two colours as WCAG has it."""
    lighter, darker = sorted((luminance(own) for own in (one, other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    shares = [float(own) / 255 for own in colour.strip("rgb()").split(",")[:3]]
    red, green, blue = (own / 12.92 if own <= 0.04045 else ((own + 0.055) / 1.055) ** 2.4 for own in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
