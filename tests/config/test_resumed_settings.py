"""Which settings of a run may change when it goes on, and which may not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from composed import composed
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from csrgan.config.location import conf
from csrgan.config.resume import change_faults, computed_keys, original_words, references, resumed_settings, with_resumed
from csrgan.errors import UserError
from csrgan.run_folder import OVERRIDES

FROM_IT, ANEW = "another run with its network, by init_from=RUN instead", "a new run without resume="


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run, as far as its words go."""
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    (tmp_path / OVERRIDES).write_text(json.dumps(["generator=unet", "seed=3", "hydra.mode=RUN"]))
    return tmp_path


def unresolved(*words: str) -> Any:
    with initialize_config_dir(str(conf()), version_base="1.3"):
        return OmegaConf.to_container(compose("train", list(words)), resolve=False)


def tied(*words: str) -> dict[str, str]:
    return references(unresolved(*words))


def faults(*words: str, seen: int = 16) -> list[str]:
    return list(change_faults(composed(), composed(*words), Path("RUN"), seen, tied(*words)))


@pytest.mark.parametrize(
    "word",
    [
        *("trainer.images=9600", "trainer.save_every=100", "trainer.precision=bf16-mixed", "trainer.gradient_stats_every=0"),
        *("optimizer.generator.lr=0.1", "optimizer.generator.betas=[0.5,0.9]", "optimizer.clip=null", "optimizer.ema=0.5"),
        *(
            "optimizer.schedule.warmup=0",
            "optimizer=adam_cooldown",
            "loss.image.weight=3",
            "loss/image=l1",
            "loss/perceptual=efficientnet",
        ),
        *("loss/adversarial=hinge", "loss/parameters=l1", "health=guarded", "logger=none", "data.workers=2", "data.final_crop=256"),
        *("data.train=[coffee]", "data.cache_mb=0", "evaluation.crop=64", "evaluation=low_contrast", "trainer.multiply_adds=3"),
    ],
)
def test_what_may_change(word: str) -> None:
    assert not faults(word)


@pytest.mark.parametrize(
    ("word", "key"),
    [
        *(("generator=unet", "generator"), ("generator.width=8", "generator.width"), ("output=tanh", "output")),
        *(("parameter_head=separate", "parameter_head"), ("condition=film", "condition"), ("size=small", "size")),
        *(
            ("discriminator=patch", "discriminator"),
            ("degradation=wide", "degradation.blur.uniform_in"),
            ("seed=1", "seed"),
            ("data.crop=64", "data.crop"),
        ),
        *(("degradation.scale.high=2", "degradation.scale.high"), ("data.batch_size=8", "data.batch_size")),
        ("loss/parameters=nll", "loss.parameters.variance"),
        *(("loss/adversarial=none", "loss.adversarial"), ("optimizer.generator._target_=torch.optim.SGD", "optimizer.generator")),
        *(("data.seed=3", "data.seed"), ("data._target_=mine.Photographs", "data")),
    ],
)
def test_a_change_that_is_not_allowed_is_reported_with_key_and_remedy(word: str, key: str) -> None:
    told = faults(word)
    assert any(sentence.startswith(f"{key}=") for sentence in told), told
    remedies = tuple(f": leave this out, or begin {begun}." for begun in (FROM_IT, ANEW))
    assert all(" a resumed run keeps what it began with, here " in sentence and sentence.endswith(remedies) for sentence in told)


@pytest.mark.parametrize("word", ["seed=1", "degradation.scale.high=2", "data.batch_size=8", "output=tanh", "discriminator=patch"])
def test_another_run_begins_from_the_network_where_its_layers_fit(word: str) -> None:
    assert all(sentence.endswith(f"begin {FROM_IT}.") for sentence in faults(word))


@pytest.mark.parametrize("word", ["generator.width=8", "generator=unet", "parameter_head=separate", "condition=film", "size=small"])
def test_no_run_begins_from_a_network_of_other_layers(word: str) -> None:
    """`init_from` would refuse it."""
    assert any(sentence.endswith(f"begin {ANEW}.") for sentence in faults(word))


def test_a_users_classes_follow_the_same_rules() -> None:
    """A third optimizer of a system's own, a callback, a logger, a group that nobody knows."""
    old, new = composed(), composed()
    for settings, lr in ((old, 1.0), (new, 2.0)):
        settings["optimizer"]["third"] = settings["system"]["third"] = {"_target_": "torch.optim.Adam", "_partial_": True, "lr": lr}
    references = {**tied(), "system.third": "optimizer.third"}
    new["callbacks"], new["logger"]["mine"] = {"ema": {"_target_": "mine.EMA"}}, {"_target_": "mine.Logger"}
    assert not list(change_faults(old, new, Path("RUN"), 0, references))
    new["optimizer"]["third"] = new["system"]["third"] = {"_target_": "mine.Lion", "_partial_": True, "lr": 2.0}
    new["strange"] = 3
    told = [sentence.partition("=")[0] for sentence in change_faults(old, new, Path("RUN"), 0, references)]
    assert told == ["optimizer.third", "strange"]


def test_a_key_of_another_system_is_reported_too() -> None:
    old, new = composed("system=dan"), composed("system=dan", "system.code.components=3", "system.code.kind=kernel")
    assert any(sentence.startswith("system.") for sentence in change_faults(old, new, Path("RUN"), 0, tied("system=dan")))


def test_a_spent_budget_is_reported() -> None:
    assert faults("trainer.images=8", seen=16) == ["trainer.images=8 is less than the 16 images that the run has seen already."]


def test_a_run_keeps_what_it_began_with_where_a_later_csrgan_has_other_defaults() -> None:
    """Only what the command itself changes is taken from today's files."""
    recipe = composed()
    recipe["system"]["generator"]["output"] = recipe["output"] = {"_target_": "csrgan.networks.output.of_before", "_partial_": True}
    recipe["trainer"]["panels"] = 3
    del recipe["data"]["final_crop"]
    found = resumed_settings(copy.deepcopy(recipe), composed(), composed("optimizer.clip=7"))
    assert found["system"]["generator"] == recipe["system"]["generator"]
    assert found["trainer"]["panels"] == 3
    assert found["data"]["final_crop"] is None
    assert found["optimizer"]["clip"] == found["system"]["rule"]["clip"] == 7


@pytest.mark.parametrize("system", ["dan", "dan_v2", "ikc"])
def test_a_run_that_trains_further_keeps_its_first_stage(system: str) -> None:
    """It follows from trainer.images, and a longer training would put a trained network back into it."""
    words = [f"system={system}", "size=small", "trainer.images=100"]
    more = [*words, "trainer.images=1000"]
    recipe, now = composed(*words), composed(*more)
    found = resumed_settings(copy.deepcopy(recipe), composed(*words), now, computed_keys(unresolved(*more), unresolved(*words)))
    assert now["system"]["first_stage"] != recipe["system"]["first_stage"]
    assert found["system"]["first_stage"] == recipe["system"]["first_stage"]
    assert found["system"]["rule"]["schedule"]["total"] == 1000
    assert not list(change_faults(recipe, found, Path("RUN"), 100, tied(*more)))
    chosen = [*more, "system.first_stage=7"]
    found = resumed_settings(recipe, composed(*words), composed(*chosen), computed_keys(unresolved(*chosen), unresolved(*words)))
    told = list(change_faults(recipe, found, Path("RUN"), 100, tied(*more)))
    assert len(told) == 1 and told[0].startswith("system.first_stage=7: a resumed run keeps what it began with")


def test_a_run_of_before_a_key_goes_on_without_it_where_another_setting_changes() -> None:
    recipe = composed("system=dan")
    del recipe["system"]["first_stage"]
    found = resumed_settings(copy.deepcopy(recipe), composed("system=dan"), composed("system=dan", "optimizer.clip=7"))
    assert "first_stage" not in found["system"]
    assert found["system"]["rule"]["clip"] == 7
    assert not list(change_faults(recipe, found, Path("RUN"), 16, tied("system=dan")))


def test_a_resumed_run_has_its_original_words_and_the_new_ones(run: Path) -> None:
    found = with_resumed([f"resume={run}", "optimizer.clip=2", "seed=3"])
    assert found == ["generator=unet", "seed=3", "hydra.mode=RUN", f"resume={run}", "optimizer.clip=2", f"run_dir={run}"]


def test_a_word_that_a_later_one_of_its_key_replaced_is_new(run: Path) -> None:
    started = ["trainer.images=48", "trainer.images=24"]
    (run / OVERRIDES).write_text(json.dumps(started))
    for new, left in (
        (["trainer.images=48"], ["trainer.images=48"]),
        (["trainer.images=24"], []),
        (["trainer.images=48", "trainer.images=24"], ["trainer.images=48", "trainer.images=24"]),
    ):
        resumed = f"resume={run}"
        assert with_resumed([resumed, *new]) == [*started, resumed, *left, f"run_dir={run}"]


@pytest.mark.parametrize(
    "word",
    ["generator=spectral", "system=dan", "run_dir=elsewhere", "init_from=other", "experiment=compare", "condition=film"],
)
def test_a_choice_that_a_run_cannot_leave_is_refused_by_its_word(word: str, run: Path) -> None:
    with pytest.raises(UserError, match=rf"^{word}: a (resumed )?run .* (resume=|{run}|init_from={run} instead)"):
        with_resumed([f"resume={run}", word])


@pytest.mark.parametrize(
    "held",
    [
        ["hydra.callbacks.evil._target_=os.system"],
        ["+hydra.callbacks.evil={_target_: os.system}"],
        ["hydra/launcher=joblib"],
        ["~hydra.run"],
        ["--config-dir=/tmp"],
        ["hydra.mode=MULTIRUN"],
        [3],
        {"a": 1},
        "x",
    ],
)
def test_words_of_a_strangers_run_cannot_configure_hydra(held: Any, run: Path) -> None:
    (run / OVERRIDES).write_text(json.dumps(held))
    with pytest.raises(UserError, match=r"overrides\.json"):
        original_words(run)
