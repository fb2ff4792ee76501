"""The page of a plan in a real browser: on a phone, in the dark, on paper, with hostile text, and when it is big."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import samples

from asstops.model import Action, Address, Change, FieldDiff, Notice, Plan, Ref, Resource, Target
from asstops.views.graphs import find_links, picture
from asstops.views.graphs.svg import render_svg
from asstops.views.html import render_plan
from tests.browser.chromium import opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PHONE = 320
GROUNDS: dict[Any, str] = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 20, 24)"}
# The contrast of every text with what is painted behind it, by the formula of WCAG 2; the worst of them all.
CONTRAST = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = element => {
    for (; element; element = element.parentElement) {
      const color = parse(getComputedStyle(element).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  let worst = {ratio: 22, texts: 0};
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texted = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || element.closest('svg, .vh')) continue;
    const [one, two] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    texted += 1;
    if (ratio < worst.ratio) worst = {ratio, text: texts.currentNode.data.slice(0, 40), name: element.className};
  }
  return {...worst, texts: texted};
}"""
HOSTILE = "</style></title><script>window.hit=1</script><img src=//evil.test/x onerror='alert(1)'><svg onload=alert(2)>"


def full() -> Plan:
    """All that the samples have, in one plan: every action, drift, prompts, structures, notices, many files."""
    names = ("typical", "created", "replaced", "removed", "functions", "long_line", "many_files")
    changes = {change.address: change for name in names for change in samples.ALL[name]().changes}
    store = Address("vector_store", "sales")
    guide = samples.update(
        "assistant",
        "guide",
        FieldDiff("model", "a", "b"),
        wanted=Resource(Address("assistant", "guide"), {"s": Ref(store)}),
    )
    changes[guide.address] = guide
    return Plan(
        samples.TARGET,
        tuple(changes[address] for address in sorted(changes)),
        unchanged=9,
        notices=(Notice("something to know", "assistant.guide", "do this"),),
    )


def page(plan: Plan) -> str:
    resources = {change.address: change.wanted for change in plan.changes if change.wanted is not None}
    resources.setdefault(Address("vector_store", "sales"), Resource(Address("vector_store", "sales"), {}))
    return render_plan(plan, find_links(resources, plan), read="read 14 objects in 0.6 s")


def test_it_can_be_read_on_a_phone(browser: Browser) -> None:
    """No scrolling sideways, texts that stand out, landmarks and headings, no request and no complaint."""
    with opened(browser, page(full()), width=PHONE) as shown:
        shown.assert_fits()
        for scheme, ground in GROUNDS.items():
            shown.page.emulate_media(color_scheme=scheme)
            found = shown.page.evaluate(CONTRAST)
            assert found["texts"] > 300
            assert found["ratio"] >= 4.5, found
            assert shown.page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
        assert shown.page.get_by_role("main").count() == 1
        headings = shown.page.get_by_role("heading", level=2).all_inner_texts()
        assert headings[1:] == ["⚠ Deleted or made anew", "Notices", "Changes", "What refers to what"]
        graph = shown.page.get_by_role("region", name="Drawing of what refers to what")
        graph.get_by_role("link", name="assistant.guide, update").click()
        assert shown.page.locator(":target .address").inner_text() == "assistant.guide"
        shown.assert_quiet()


def test_everything_is_on_paper(browser: Browser) -> None:
    """Printed, nothing is folded, and the ground is white also for who reads in the dark."""
    with opened(browser, page(full()), color_scheme="dark") as shown:
        seen = "[...document.querySelectorAll('details')].map(it => it.lastElementChild.checkVisibility())"
        assert not any(shown.page.evaluate(seen))
        shown.page.emulate_media(media="print")
        opened_now = shown.page.evaluate(seen)
        assert len(opened_now) >= 3
        assert all(opened_now)
        assert shown.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert shown.page.evaluate(CONTRAST)["ratio"] >= 4.5
        assert shown.page.pdf().startswith(b"%PDF")
        shown.assert_quiet()


def test_hostile_text_is_text(browser: Browser) -> None:
    """It is shown as it was written, becomes no element, asks for nothing, says nothing, and makes nothing wider."""
    address = Address("assistant", HOSTILE)
    long = "\u202e" + "W" * 5_000
    change = samples.update(
        "assistant",
        HOSTILE,
        FieldDiff("instructions", f"Be kind.\n{HOSTILE}\n", f"Be kind.\n{HOSTILE} {long}\0\n", origin=HOSTILE),
        FieldDiff(HOSTILE, HOSTILE, long),
        name=HOSTILE,
        reason=HOSTILE,
        action=Action.REPLACE,
        wanted=Resource(address, {"other": Ref(Address("assistant", long))}),
    )
    body = {"model": long, "instructions": long}
    other = Resource(Address("assistant", long), body)
    made = Change(other.address, Action.CREATE, None, body, wanted=other)
    plan = Plan(Target(HOSTILE, HOSTILE, long), (change, made), notices=(Notice(long, HOSTILE, HOSTILE),))
    text = page(plan)
    with opened(browser, text, width=PHONE) as shown:
        shown.assert_fits()
        for tag in ("script", "img", "iframe", "object", "link", "[onerror]", "[onload]", "a:not([href^='#'])"):
            assert shown.page.locator(tag).count() == 0
        assert shown.page.evaluate("window.hit") is None
        assert HOSTILE in shown.page.title()
        visible = shown.page.locator("body").inner_text()
        assert visible.count(HOSTILE) >= 8
        assert "\u202e" not in visible
        assert "\\u202e" in visible
        assert shown.page.locator("svg").count() == 1
        shown.assert_quiet()


def test_a_big_plan_opens(browser: Browser) -> None:
    """A thousand objects and a prompt of 100 kB; the picture folds them."""
    prompt = "A line of a long prompt, with some words in it.\n" * 2_000
    changes = [samples.update("assistant", f"a{n:03}", FieldDiff("temperature", 0, 1)) for n in range(500)]
    changes += [samples.file_change(Action.UPDATE, f"{n:03}.md") for n in range(499)]
    changes.append(samples.update("assistant", "long", FieldDiff("instructions", prompt, f"{prompt}One more.\n")))
    plan = Plan(samples.TARGET, tuple(sorted(changes, key=lambda change: change.address)))
    with opened(browser, page(plan), width=PHONE) as shown:
        shown.assert_fits()
        assert shown.page.locator("article").count() == 502
        assert shown.page.locator(".files li").count() == 499
        assert shown.page.locator(".row.new .t").inner_text() == "One more."
        shown.assert_quiet()


def test_the_picture_alone(browser: Browser) -> None:
    """`graph --format svg` is a document that a browser draws, with the same rules."""
    store, user = Resource(Address("vector_store", HOSTILE), {}), Address("assistant", "a")
    links = find_links({user: Resource(user, {"s": Ref(store.address)}), store.address: store})
    with opened(browser, render_svg(picture(links, title=HOSTILE)), kind="image/svg+xml") as shown:
        assert shown.page.locator(".g-node").count() == 2
        assert shown.page.locator("parsererror, script, img").count() == 0
        for scheme, ground in GROUNDS.items():
            shown.page.emulate_media(color_scheme=scheme)
            assert shown.page.evaluate("getComputedStyle(document.querySelector('.g-ground')).fill") == ground
        shown.assert_quiet()
