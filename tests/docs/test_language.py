"""Pages are easy to read, and name only settings that exist."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from known_settings import codes, faults, names_of, own_names
from pages import ROOT, blocks, files
from prose import CODE, ROLE, Paragraph, paragraphs, plain, reading_ease, sentences

from csrgan.config import renamed

PAGES = {str(file.relative_to(ROOT)): file for file in (*files(), ROOT / "ARCHITECTURE.md")}
FIRST = [name for name in PAGES if name == "README.md" or name.startswith("docs/tutorials/")]  # what a newcomer reads first
LONGEST = {name: 30 if name in FIRST else 40 for name in PAGES}  # words of a sentence
EASE = 45  # Flesch reading ease, of pages with FEW words or more
FEW = 60
SYMBOLS = ("H", "L", "S", "theta")


def _text(name: str) -> str:
    return PAGES[name].read_text(encoding="utf-8")


def _fail_with(sentences: Iterable[str]) -> None:
    if lines := list(sentences):
        pytest.fail("\n".join(lines), pytrace=False)


@pytest.mark.parametrize("name", PAGES)
def test_no_sentence_is_too_long(name: str) -> None:
    _fail_with(
        f"{name}:{sentence.line}: {len(sentence.words)} words, at most {LONGEST[name]}: {sentence.text}"
        for sentence in sentences(_text(name))
        if len(sentence.words) > LONGEST[name]
    )


@pytest.mark.parametrize("name", FIRST)
def test_a_page_for_newcomers_is_easy_to_read(name: str) -> None:
    found = sentences(_text(name))
    if sum(len(sentence.words) for sentence in found) >= FEW and (ease := reading_ease(found)) < EASE:
        hardest = sorted(found, key=lambda sentence: reading_ease([sentence]) if len(sentence.words) > 4 else 100)[:3]
        listed = (f"{name}:{sentence.line}: one of the hardest: {sentence.text}" for sentence in hardest)
        _fail_with([f"{name}: a reading ease of {ease:.0f}, at least {EASE}", *listed])


@pytest.mark.parametrize("name", FIRST)
def test_a_page_for_newcomers_links_the_glossary_at_the_first_symbol(name: str) -> None:
    unlinked = ((symbol, _unlinked(symbol, _text(name))) for symbol in SYMBOLS)
    _fail_with(
        f"{name}:{place.line}: {symbol} without a link to the glossary here or before" for symbol, place in unlinked if place
    )


def _unlinked(symbol: str, page: str) -> Paragraph | None:
    """Return the paragraph that first uses the symbol, unless it or one before links the glossary for it."""
    link = re.compile(rf"«[^»]*\b{symbol}\b[^»]*»|\]\([^)]*glossary(\.md)?(#[^)]*)?\)")
    use = re.compile(rf"(?<![\w.]){symbol}(?!\w|\.\w)")
    for paragraph in paragraphs(page):
        text = ROLE.sub(lambda match: f"«{match[2]}»" if match[1] == "term" else "", paragraph.text)
        text = CODE.sub("", text)
        if link.search(text):
            return None
        if use.search(plain(text)):
            return paragraph
    return None


@pytest.mark.parametrize("name", PAGES)
def test_settings_and_choices_that_a_page_names_exist(name: str) -> None:
    known = names_of(blocks(_text(name)))
    _fail_with(f"{name}:{code.line}: {fault}: `{code.text}`" for code in codes(_text(name)) for fault in faults(code.text, known))


def test_a_page_may_name_what_its_own_files_define() -> None:
    file = "<!-- file: mine/conf/loss/image/huber.yaml -->\n```yaml\n_target_: mine.huber\nweight: 1.0\ndelta: 0.1\n```\n"
    for code, wrong in (("loss/image=huber", 0), ("loss.image.delta=0.2", 0), ("delta=0", 0), ("loss/image=hubert", 1)):
        assert len(list(faults(code, names_of(blocks(file))))) == wrong
    assert list(faults("loss/image=huber", own_names()))


def test_the_changelog_names_every_renamed_setting() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    choices = {f"{group}={old}": f"{group}={new}" for group, table in renamed.CHOICES.items() for old, new in table.items()}
    settings = {old: new for old, new in renamed.KEYS.items() if ".rule." not in old}
    lines = [line for line in text.splitlines() if line.startswith("- `")]
    missing = [
        f"{old} -> {new}"
        for old, new in {**settings, **choices}.items()
        if not any(_last(old) in line and _last(new) in line for line in lines)
    ]
    assert missing == []


def _last(name: str) -> str:
    return name.rpartition(".")[2]


PAGE = """---
title: no prose
---
# A heading with many words is no sentence

First sentence, e.g. with `code = 1.5` inside. Second
sentence is [a link
over lines](https://example.org/a.b.c) by {term}`L <L>`. A number 1.95 dB!

- item one
- item two. And more

  of it.

Text of
    a hanging line.

    indented = code

| a table | of no words |
|---|---|

<!-- a comment. -->
```bash
csrgan train  # code. No prose.
```
:::{tip}
:class: wide
Prose of a tip; see {py:func}`csrgan.load`.
:::
```{toctree}
page
```
"""


def test_prose_is_what_people_read() -> None:
    assert [(sentence.line, sentence.text) for sentence in sentences(PAGE)] == [
        (6, "First sentence, e.g. with Code inside."),
        (6, "Second sentence is a link over lines by L."),
        (8, "A number 1.95 dB!"),
        (10, "item one"),
        (11, "item two."),
        (11, "And more"),
        (13, "of it."),
        (15, "Text of a hanging line."),
        (29, "Prose of a tip; see Code."),
    ]


@pytest.mark.parametrize(
    ("page", "line"),
    [
        ("{term}`L` is `code`. L again.", None),
        ("Text.\n\nThe size of L's pixels", 3),
        ("In `L = A(H)` and $L$ nothing is used.", None),
        ("See the [glossary](docs/glossary.md) for L.", None),
        ("L first.\n\nThen {term}`L`.", 1),
        ("{term}`the picture <L>`, then L", None),
        ("{term}`H` is not L", 1),
    ],
)
def test_a_symbol_without_a_link_is_found(page: str, line: int | None) -> None:
    found = _unlinked("L", page)
    assert (found.line if found else None) == line


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("data.train", False),
        ("data.trian", True),
        ("loss.parameters.weight=0.1", False),
        ("loss.parameter.weight=0.1", True),
        ("loss.parameters.function.beta", False),
        ("generator.first.spectrum_bins=8", False),
        ("degradation=readme", False),
        ("degradation=readmee", True),
        ("csrgan train loss/image=l1,mse generator.width=8", False),
        ("csrgan train loss/image=l7", True),
        ("~condition", True),
        ("~/photos", False),
        ("+callbacks.stop._target_=lightning.pytorch.callbacks.EarlyStopping", True),
        ("+factor/gamma=mild", False),
        ("+factor/gamma=wild", True),
        ("+factor/NAME=CHOICE", False),
        ("+callbacks/KIND=NAME", False),
        ("logger=[wandb,csv]", False),
        ("logger=wandb|tensorboard|csv", False),
        ("logger.project=mine", False),
        ("logger.wandb.project=mine", False),
        ("system=degraded", True),
        ("begin_from=runs/first", True),
        ("told", True),
        ("data.keep_mb", True),
        ("optimizer.average=0.9", True),
        ("optimizer.ema", False),
        ("health.collapse.action=slow", True),
        ("health.collapse.action=reduce_lr", False),
        ("CSRGAN_ALLOW=mypackage", False),
        ("key=value", False),
        ("data/crops.py", False),
        ("evaluation/metrics", False),
        ("metrics.csv", False),
        ("generator/loss", False),
        ("generator/lost", True),
        ("csrgan.load(path, device=0)", False),
        ("weights_only=True", False),
        ("seed=1", False),
        ("sed=1", True),
        ("hydra/launcher=joblib", False),
        ("hydra.sweeper.n_trials=4", False),
    ],
)
def test_settings_are_told_from_other_code(code: str, wrong: bool) -> None:
    assert bool(list(faults(code, own_names()))) == wrong
