"""What the user's own code raises is told in one sentence with its file and line; a fault of csrgan's stays a traceback."""

from __future__ import annotations

import pickle
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from commands import SMOKE
from torch.utils.data import DataLoader

from csrgan.cli import main
from csrgan.config import announced, own_code
from csrgan.config.build import build
from csrgan.config.faults import check_command
from csrgan.errors import UserError

CODE = """
import json
import torch
from lightning.pytorch.callbacks import Callback
from pathlib import Path
from csrgan.files import write_json

uses = 0

def measured(restored, sharp, *, works):
    global uses
    uses += 1
    return (restored - sharp).abs().mean() if uses <= works else fails(restored)

def fails(picture):
    return picture + "sharp"  # line 16

def passes_nonsense(restored):
    return write_json(Path('no/such/folder.json'), restored)

class Base:
    def __getitem__(self, index):
        return json.loads("{")  # line 23: innermost are lines of json

    def __len__(self):
        return 1

class Pictures(Base):
    def __init__(self, width=1):
        self.width = 1 / width  # line 30

class Clock(Callback):
    def on_train_batch_end(self, *_):
        torch.zeros(2) @ torch.zeros(3)  # line 34

class Silent(Callback):
    def on_train_batch_end(self, trainer):  # line 37
        pass

def of_one(restored):  # line 40
    return restored.mean()
"""
TERM = """# A loss of one's own
_target_: csrgan.losses.objective.Term
weight: 1.0
start: 0
ramp: 0
function: {_target_: failing_words.losses.measured, _partial_: true, works: 0}
"""
NODE = "{_target_: failing_words.unread.f, _partial_: true}"
HINT = r"CSRGAN_TRACEBACK=1 in the environment shows the whole traceback\."
FAILED = r"failed in failing_words/losses\.py:"
SUM = r"TypeError: unsupported operand type\(s\) for \+: 'Tensor' and 'str'\."


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's package in the current folder, allowed, whose code fails."""
    folder = tmp_path / "failing_words"
    for place, text in {
        "conf/loss/edges/sobel.yaml": TERM,
        "conf/callbacks/clock/plain.yaml": "# Say the time\n_target_: failing_words.losses.Clock\n",
        "__init__.py": "",
        "losses.py": CODE,
    }.items():
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(announced.ALLOW, "failing_words")
    yield folder
    for name in [name for name in sys.modules if name.startswith("failing_words")]:
        del sys.modules[name]


@pytest.fixture
def refused(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a training says that ends with status 2."""

    def run(*words: str) -> str:
        capfd.readouterr()
        status = main(["train", *SMOKE, "run_dir=run", "evaluation.grid={blur: 1, scale: 1, noise: 1}", *words])
        said = capfd.readouterr().err.strip()
        assert status == 2, said
        return said

    return run


def raised(make: Callable[[], object]) -> Exception:
    try:
        make()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def told(error: Exception, **tree: object) -> str:
    return str(own_code.failure(error, tree))


@pytest.mark.usefixtures("package")
def test_a_loss_that_fails_in_the_first_check(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = rf"csrgan train: loss\.edges {FAILED}16: {SUM} {HINT}"
    assert re.fullmatch(sentence, refused("+loss/edges=sobel"))
    monkeypatch.setenv(own_code.TRACEBACK, "1")
    *traceback, last = refused("+loss/edges=sobel").split("\n")
    assert re.fullmatch(sentence, last)
    assert any("objective.py" in line for line in traceback)


@pytest.mark.usefixtures("package")
def test_a_text_among_the_settings_of_what_fails_is_told() -> None:
    measured = import_module("failing_words.losses").measured
    with pytest.raises(TypeError) as error:
        measured(1.0, 1.0, works="two")
    node = {"_target_": "failing_words.losses.measured", "_partial_": True, "works": "two"}
    assert "(its settings: works=two). " in told(error.value, loss={"edges": {"function": node}})
    assert "settings" not in told(error.value, loss={"edges": {"function": node | {"works": 2}}})


@pytest.mark.usefixtures("package")
def test_what_was_saved_before_a_loss_fails_is_whole(refused: Callable[..., str]) -> None:
    said = refused("+loss/edges=sobel", "loss.edges.function.works=7", "trainer.images=32", "trainer.save_every=4")
    kept = r"What was saved before is whole: CSRGAN_ALLOW=failing_words csrgan train resume=run goes on with it\."
    assert re.fullmatch(rf"csrgan train: loss\.edges {FAILED}16: {SUM} {kept} {HINT}", said)
    assert main(["train", "resume=run", "loss.edges.function.works=1000", "trainer.images=24"]) == 0


@pytest.mark.usefixtures("package")
def test_a_callback_is_named_too(refused: Callable[..., str]) -> None:
    said = refused("+callbacks/clock=plain")
    assert re.match(rf"csrgan train: callbacks\.clock {FAILED}34: RuntimeError: inconsistent tensor size", said)


@pytest.mark.usefixtures("package")
def test_a_function_that_does_not_take_what_it_is_called_with(refused: Callable[..., str]) -> None:
    said = refused("+callbacks/clock=plain", "callbacks.clock._target_=failing_words.losses.Silent")
    words = r"TypeError: Silent\.on_train_batch_end\(\) takes 2 positional arguments but 6 were given\."
    assert re.search(rf"callbacks\.clock {FAILED}37: {words}", said)
    own = import_module("failing_words.losses")
    assert f"{FAILED}40: TypeError: of_one() missing 1".replace("\\", "") in told(raised(own.of_one))
    assert own_code.failure(raised(lambda: divmod(1)), {}) is None  # type: ignore[call-overload]
    assert own_code.failure(raised(raised), {}) is None  # type: ignore[call-arg]


@pytest.mark.usefixtures("package")
def test_a_fault_within_csrgan_stays_a_traceback() -> None:
    losses = import_module("failing_words.losses")
    error = raised(lambda: losses.passes_nonsense({}))  # the innermost line is one of csrgan's
    assert isinstance(error, OSError)
    assert own_code.failure(error, {}) is None
    assert own_code.failure(raised(lambda: int("x")), {}) is None
    assert own_code.failure(raised(lambda: losses.measured(None, UserError, works=1)), {}) is not None
    assert own_code.failure(UserError("seed=-1 is below 0."), {}) is None
    assert own_code.failure(MemoryError(), {}) is None


@pytest.mark.usefixtures("package")
def test_what_failed_has_its_key_or_else_its_name() -> None:
    losses = import_module("failing_words.losses")
    error = raised(lambda: losses.Pictures()[0])
    sentence = rf"{FAILED}23: JSONDecodeError: Expecting property name .* {HINT}"
    assert re.fullmatch(rf"failing_words\.losses\.Pictures {sentence}", told(error))
    node = {"_target_": "failing_words.losses.Pictures"}  # the method is inherited
    assert re.fullmatch(rf"data\.train {sentence}", told(error, data={"train": node}))
    import_module("failing_words").Stack = losses.Pictures
    assert re.fullmatch(rf"data\.train {sentence}", told(error, data={"train": {"_target_": "failing_words.Stack"}}))
    assert pickle.loads(pickle.dumps(own_code.failure(error, {}))).args  # a job of a sweep may run in another process


@pytest.mark.usefixtures("package")
def test_a_process_that_reads_pictures_tells_the_line() -> None:
    loader = DataLoader(import_module("failing_words.losses").Pictures(), num_workers=1)
    error = raised(lambda: next(iter(loader)))
    assert re.fullmatch(rf"failing_words\.losses {FAILED}23: json.decoder.JSONDecodeError: Expecting .* {HINT}", told(error))


def test_what_cannot_be_imported_or_constructed(package: Path) -> None:
    node = {"_target_": "failing_words.losses.Pictures", "width": 0}
    sentence = rf"^data\.train cannot be built: failing_words\.losses\.Pictures {FAILED}30: ZeroDivisionError: "
    with pytest.raises(UserError, match=sentence):
        build(node, "data.train")
    for name, text, said in (
        ("broken", "def f(:", "1: SyntaxError: invalid syntax"),
        ("late", "import os\nnope\ndef f(): pass", "2: NameError: name 'nope' is"),
        ("lacks", "from json import nope\ndef f(): pass", "1: ImportError: cannot import name 'nope' from 'json'"),
    ):
        (package / f"{name}.py").write_text(text)
        target = f"failing_words.{name}.f"
        with pytest.raises(UserError) as refused:
            build({"_target_": target}, "data.train")
        assert f"data.train._target_={target} cannot be imported: it failed in failing_words/{name}.py:{said}" in str(refused.value)


def test_a_file_that_python_cannot_read_is_told_at_once_and_by_the_loss(package: Path) -> None:
    (package / "unread.py").write_text("from failing_words.helper import x\ndef f(restored): return restored.mean()\n")
    (package / "helper.py").write_text("x = 1\nreturn\n")  # which a parser of its syntax alone accepts
    (package / "conf/loss/edges/unread.yaml").write_text(re.sub("function: .*", f"function: {NODE}", TERM))
    said = (
        "loss.edges.function._target_=failing_words.unread.f cannot be imported: it failed in failing_words/helper.py:2:"
        " SyntaxError: 'return' outside function."
    )
    with pytest.raises(UserError) as refused:
        check_command("train", ["+loss/edges=unread"])
    assert str(refused.value) == said
    assert "failing_words.unread" not in sys.modules
    with pytest.raises(UserError) as refused:  # the settings of a call from Python are not examined before
        build({"losses": {"edges": {"function": {"_target_": "failing_words.unread.f", "_partial_": True}}}}, "system")
    assert str(refused.value) == said
