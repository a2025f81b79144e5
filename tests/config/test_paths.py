"""Paths among the words of a command: what exists is meant, whatever it is called, and what does not is read by one rule."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from names import CHOSEN, drawn
from omegaconf import DictConfig, OmegaConf

from csrgan.config.build import build
from csrgan.config.faults import check_command
from csrgan.config.flags import split_flags
from csrgan.config.location import conf
from csrgan.config.paths import for_hydra, literal_path, restart_words
from csrgan.errors import UserError

MEANING = ("${HOME}", "${seed}")  # these are interpolations where nothing is called so
NAMES = [*CHOSEN, *drawn(100)]


def read(command: str, *words: str) -> DictConfig:
    with initialize_config_dir(str(conf()), version_base="1.3"):
        return compose(command, split_flags(for_hydra(words))[1], return_hydra_config=True)


def value(word: str, *others: str) -> object:
    """What a word of csrgan train makes of its key."""
    config = read("train", word, *others)
    found = OmegaConf.select(config, word.partition("=")[0])
    return OmegaConf.to_container(found, resolve=True) if OmegaConf.is_config(found) else found


def test_every_file_name_is_read_literally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute and relative, for what exists and for what will; and again from what is kept of it. Four names at a time."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        (tmp_path / name / name).mkdir(parents=True)
    for index in range(0, len(NAMES), 4):
        source, checkpoint, destination, run_dir = (NAMES * 2)[index : index + 4]
        paths = [source, f"{tmp_path}/{checkpoint}", f"{tmp_path}/{destination}/{destination}", f"{tmp_path}/{run_dir}"]
        said = [f"{key}={path}" for key, path in zip(("source", "checkpoint", "destination", "run_dir"), paths, strict=True)]
        words = for_hydra(said)
        assert for_hydra(words) == words, said
        check_command("restore", words)
        config = read("restore", *words)
        found = [config.source, config.checkpoint, config.destination, config.run_dir]
        assert [*map(os.path.normpath, found)] == [*map(os.path.normpath, paths)], said
        assert for_hydra(restart_words(config.hydra.overrides.task)) == words, said
    for name in NAMES:
        there = literal_path(f"resume={name}")
        assert os.path.normpath(there) == os.path.normpath(name), name
        assert name in MEANING or literal_path(f"run_dir={tmp_path}/new{name}") == f"{tmp_path}/new{name}", name


RULE = [
    ("checkpoint=null", None),
    ("checkpoint=", ""),
    ("data.train=[a,b]", ["a", "b"]),
    ("data.train=[/photos (1),'/a, b',~/c]", ["/photos (1)", "/a, b", "/Users/me/c"]),
    ("data.train=[]", []),
    ("data.train=chelsea", "chelsea"),
    ("data.train=2024", "2024"),
    ("data.train=s3://bucket/x", "s3://bucket/x"),
    ("data.train=simplecache::s3://bucket/x y", "simplecache::s3://bucket/x y"),
    ("data.train={_target_: csrgan.data.archive.Archive, retries: 3}", {"_target_": "csrgan.data.archive.Archive", "retries": 3}),
    ("data.archive=a,b", "a,b"),
    ("data.cache='/a b'", "/a b"),
    ("data.cache=\"/a, 'b'\"", "/a, 'b'"),
    ("data.cache=~/a b", "/Users/me/a b"),
    ("data.cache='~/a b'", "/Users/me/a b"),
    ("data.cache=~nobody-here/a", "~nobody-here/a"),
    ("data.cache=${oc.env:HOME}/a b (1)", "/Users/me/a b (1)"),
    ("data.cache=${oc.env:NONE,${oc.env:HOME}}/a b", "/Users/me/a b"),
    ("data.cache='\\${HOME}'", "${HOME}"),
    ("data.cache=${seed}/${size} 1", "0/paper 1"),
    ("data.cache=[a,b]", "[a,b]"),
    ("loss.perceptual.function.backbone.weights=/a (1)", "/a (1)"),
    ("logger.project=My project (2)", "My project (2)"),
]


@pytest.mark.parametrize(("word", "means"), RULE, ids=[word for word, _ in RULE])
def test_what_a_word_means(word: str, means: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/Users/me")
    others = ("loss/perceptual=vgg19",) if word.startswith("loss") else ("data=folder",)
    if word.startswith("checkpoint"):
        assert read("restore", word).checkpoint == means
    else:
        assert value(word, *others) == means


def test_with_m_commas_make_a_sweep_and_without_it_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert for_hydra(["-m", "data.train=a,b c,'d,e'"]) == ["-m", "data.train=a,${path:b%20c},${path:d%2Ce}"]
    assert for_hydra(["--multirun", "data.train=choice(a,b)"])[1] == "data.train=choice(a,b)"
    assert for_hydra(["experiment=compare", "data.train=a,b"])[1] == "data.train=a,b"
    assert for_hydra(["experiment=csrgan", "data.train=a,b"])[1] == "data.train=${path:a%2Cb}"
    assert for_hydra(["-m", "run_dir=a,b"])[1] == "run_dir=${path:a%2Cb}"
    Path("a,b").mkdir()
    assert for_hydra(["-m", "data.train=a,b"])[1] == "data.train=${path:a%2Cb}"


def test_the_jobs_of_a_sweep_keep_their_paths(tmp_path: Path) -> None:
    """As Hydra gives them to each job, and again as the job is started with them."""
    paths = [f"{tmp_path}/{name}" for name in NAMES if name not in MEANING]
    quoted = ",".join(QuotedString(path.replace("${", "\\${"), Quote.single).with_quotes() for path in paths)
    (_, word) = for_hydra(["-m", f"data.valid={quoted}"])
    jobs = list(OverridesParser.create().parse_override(word).sweep_string_iterator())
    again = restart_words(OmegaConf.create([f"data.valid={job}" for job in jobs]))
    assert [literal_path(word) for word in again] == paths
    assert [literal_path(word) for word in for_hydra(again)] == paths


@pytest.mark.parametrize(
    "word", ["seed=(", "seed=ä", "generator.width=a'b", "seed=1,", "k y=1", "a.=1", "seed=#", "source={_target_: x, y"]
)
def test_no_message_mentions_the_lexer(word: str) -> None:
    with pytest.raises(UserError) as told:
        check_command("restore", for_hydra([word]))
    for said in ("Lexer", "mismatched", "token recognition", "viable", "extraneous", "EOF", "See http"):
        assert said not in str(told.value)


def test_a_key_that_cannot_be_read_is_not_missing() -> None:
    with pytest.raises(UserError) as told:
        check_command("degrade", ["source=(", "destination=x"])
    assert str(told.value).startswith("source=( is no override")
    assert "is needed" not in str(told.value)


def test_an_object_gets_a_path_literally() -> None:
    """All interpolations were resolved before; one that looks like one is a name."""
    name = "/a/${HOME} \\${seed}"
    node = {"_target_": "torch.nn.ModuleDict", "modules": None}
    reader = build({"_target_": "csrgan.degradation.kernel_priors.FreeForm", "file": name})
    assert reader.file == name
    assert build({"deep": [name, {"deeper": name, "node": node}]})["deep"][1]["deeper"] == name


def test_a_sweep_into_an_impossible_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\$\{b: a sweep cannot use a folder"):
        check_command("train", for_hydra(["-m", f"run_dir={tmp_path}/a${{b"]))
