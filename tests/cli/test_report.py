"""csrgan report over the files that sweeps leave: several folders, a job without results, words that cannot be used."""

from __future__ import annotations

import csv
import html
import json
import re
import shlex
from itertools import product
from pathlib import Path

import pytest
from commands import train

from csrgan.cli import main
from csrgan.config.faults import check_command
from csrgan.config.paths import for_hydra


def job(folder: Path, weight: str | None, gain: float, *, seed: int = 1, status: str = "complete") -> None:
    """weight: of the parameter loss; None: as it is."""
    folder.mkdir(parents=True)
    words = ["trainer=smoke", *([f"loss.parameters.weight={weight}"] if weight else []), f"seed={seed}"]
    told = {"words": words, "command": "csrgan train", "status": status, "reason": "", "seconds": 1.0}
    (folder / "job.json").write_text(json.dumps(told))
    fixed = {"image": "a.png", "blur_std": 1.0, "scale": 1.5, "noise_std": 0.01, "ssim_restored": 0.7}
    write(folder / "results.csv", [fixed | {"psnr_low": 20.0, "psnr_restored": 20 + gain}])
    write(folder / "metrics.csv", [{"step": step, "D(real)": share, "valid/gain_db": ""} for step, share in ((8, 0.6), (16, 0.8))])


def write(file: Path, lines: list[dict]) -> None:
    with file.open("w", newline="") as held:
        table = csv.DictWriter(held, fieldnames=list(lines[0]))
        table.writeheader()
        table.writerows(lines)


def read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as held:
        return list(csv.DictReader(held))


def test_a_study_of_several_sweeps_is_one_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("main/10", "main/2", "stress/0"):
        job(tmp_path / name, "0" if name == "main/10" else "0.1", gain=float(len(name)))
    job(tmp_path / "main/3", "1", gain=0.0)
    (tmp_path / "main/3" / "results.csv").unlink()
    assert main(["report", str(tmp_path), "baseline=loss.parameters.weight=0 trainer=smoke", "score=psnr_restored"]) == 0
    assert "3 of 4 jobs complete: " in capsys.readouterr().out
    assert [line["job"] for line in read(tmp_path / "rows.csv")] == ["main/2", "main/10", "stress/0"]
    lines = {line["settings"]: line for line in read(tmp_path / "report.csv")}
    assert lines["loss.parameters.weight=0"]["verdict"] == "baseline"
    assert lines["loss.parameters.weight=0.1"]["PSNR, dB"] == "27.00"  # of 6 and 8 above 20
    assert read(tmp_path / "diagnostics.csv")[0]["D(real)"] == "0.7"
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "3 of 4 jobs complete" in text
    assert "failed: results.csv is missing or empty" in text


def test_the_values_of_losses_are_in_the_report_of_a_training_of_two_batches(tmp_path: Path) -> None:
    """Without a discriminator, whose D(real) is always there; and the report says why it has none where nothing was logged."""
    own = ("+loss/image@loss.own=mse", "loss.own.weight=0.5", "loss/adversarial=none")
    words = ("trainer.images=8", "trainer.gradient_stats_every=50", "evaluation.grid={blur: 1, scale: 1, noise: 1}")
    train(tmp_path / "run", *words, *own, "logger=csv")
    assert main(["report", str(tmp_path / "run")]) == 0
    (line,) = read(tmp_path / "run" / "diagnostics.csv")
    (last,) = [row for row in read(tmp_path / "run" / "metrics.csv") if row["generator/own"]]
    for name in ("unweighted/generator/own", "loss_share/own"):
        assert float(line[name]) == pytest.approx(float(last[name]), rel=1e-2)
    assert float(last["unweighted/generator/own"]) == pytest.approx(2 * float(last["generator/own"]))
    text = "There is no table of diagnostics"
    assert text not in (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    (tmp_path / "run" / "metrics.csv").unlink()
    (tmp_path / "run" / "diagnostics.csv").unlink()
    assert main(["report", str(tmp_path / "run")]) == 0
    assert text in (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    assert not (tmp_path / "run" / "diagnostics.csv").exists()


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("score=ssim", "score has no ssim. Its choices: gain, psnr_restored, ssim_restored. Did you mean ssim_restored?"),
        ("baseline=loss.parameters.weight=2", "baseline has no loss.parameters.weight=2. Its choices: loss.parameters.weight=0,"),
        (
            "baseline=loss.parameters.weight=0,trainer=smoke",
            "baseline=loss.parameters.weight=0,trainer=smoke: its words have blanks between them, not commas: baseline="
            '"loss.parameters.weight=0 trainer=smoke".',
        ),
        (
            "baseline=trainer=smoke",
            "baseline=trainer=smoke: every job has it; name one in which they differ: loss.parameters.weigh",
        ),
    ],
)
def test_what_no_job_has_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, sentence: str) -> None:
    job(tmp_path / "0", "0", gain=1.0)
    job(tmp_path / "1", "0.1", gain=1.0)
    assert main(["report", str(tmp_path), word]) == 2
    assert capsys.readouterr().err.startswith(f"csrgan report: {sentence}")


@pytest.mark.parametrize("name", ["baseline", "", "all settings as they are"])
def test_the_settings_as_they_are_have_a_name(tmp_path: Path, name: str) -> None:
    job(tmp_path / "0", "1", gain=1.0)
    job(tmp_path / "1", None, gain=2.0)
    assert main(["report", str(tmp_path), f"baseline={name}"]) == 0
    lines = {line["settings"]: line["verdict"] for line in read(tmp_path / "report.csv")}
    assert lines == {"all settings as they are": "baseline", "loss.parameters.weight=1": "worse (1 seed, 1 picture)"}


def test_a_baseline_that_is_missing_or_not_complete_yet_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job(tmp_path / "0", "1", gain=1.0, status="running")
    assert main(["report", str(tmp_path), "baseline=loss.parameters.weight=1"]) == 0  # nothing is complete, so nothing is missed
    assert "0 of 1 job complete" in capsys.readouterr().out
    assert "No job is complete." in (tmp_path / "report.html").read_text(encoding="utf-8")
    job(tmp_path / "1", None, gain=2.0)
    assert main(["report", str(tmp_path), "baseline=loss.parameters.weight=1"]) == 2
    told = "baseline=loss.parameters.weight=1: the job that has it is not complete. Of those that are: baseline."
    assert told in capsys.readouterr().err
    assert main(["report", str(tmp_path), "baseline=nothing"]) == 2
    assert "baseline has no nothing. Its choices: baseline." in capsys.readouterr().err


def test_single_seeds_and_a_small_difference_are_no_verdict(tmp_path: Path) -> None:
    for index, gain in enumerate((1.0, 1.0000025, 1.05, 0.9, 1.2)):
        job(tmp_path / "one" / str(index), f"{index}", gain=gain)
    assert main(["report", f"{tmp_path}/one"]) == 0
    lines = [(line["verdict"], line["difference to the baseline"]) for line in read(tmp_path / "one" / "report.csv")]
    assert [verdict for verdict, _ in lines] == [
        "baseline",
        *(f"{verdict} (1 seed, 1 picture)" for verdict in ("no clear difference", "no verdict: one seed", "worse", "better")),
    ]
    assert lines[1][1] == "+0.000 [+0.000, +0.000]"
    told = "Of single seeds, a difference below 0.1 dB is no verdict: another seed may change that much."
    assert told in (tmp_path / "one" / "report.html").read_text(encoding="utf-8")
    for seed, gain in ((1, 1.0), (2, 1.2)):  # a deviation of 0.14 dB: single seeds differ by 0.39 dB
        job(tmp_path / "two" / f"several{seed}", "1", gain=gain, seed=seed)
    job(tmp_path / "two" / "near", "2", gain=1.35)
    job(tmp_path / "two" / "far", "3", gain=1.45)
    assert main(["report", f"{tmp_path}/two", "baseline=loss.parameters.weight=1"]) == 0
    verdicts = {line["settings"][-1]: line["verdict"] for line in read(tmp_path / "two" / "report.csv")}
    assert verdicts == {"1": "baseline", "2": "no verdict: one seed (1 seed, 1 picture)", "3": "better (1 seed, 1 picture)"}


def test_seeds_are_spoken_of_where_they_matter(tmp_path: Path) -> None:
    """Not between two methods that learn nothing: a small difference of theirs is no luck."""
    for name, gain in (("bicubic.Bicubic", 1.0), ("wiener.Wiener", 1.07)):
        job(tmp_path / name, f"{gain}", gain=gain)
        (tmp_path / name / "config.yaml").write_text(f"system: {{_target_: csrgan.restorers.{name}}}\n")
    for verdicts in (["baseline", "better"], ["baseline", "no verdict: one seed", "better"]):
        assert main(["report", str(tmp_path)]) == 0
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        spoken = "A verdict is one on this seed alone." in page, "these seeds" in page
        assert spoken == (len(verdicts) == 3,) * 2
        assert [line["verdict"].partition(" (")[0] for line in read(tmp_path / "report.csv")] == verdicts
        job(tmp_path / f"trained{len(verdicts)}", "0", gain=1.07)  # the same, of a training


@pytest.mark.parametrize("swept", [True, False])
def test_networks_of_several_priors_get_the_commands_that_score_them_on_one(
    swept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the pictures that all of them were scored on. Evaluations on several sets are as they were meant."""
    monkeypatch.chdir(tmp_path)
    for name, blur in (("0", 4), ("1", 50)):
        folder = tmp_path / "runs" / "my sweep" / name
        job(folder, name, gain=1.0)
        lines = read(folder / "results.csv")
        write(folder / "results.csv", [line | {"blur_std": blur} for line in lines])
        told = json.loads((folder / "job.json").read_text())
        told["words"] += ["evaluation.crop=64", f"degradation.blur.high={blur}"]
        (folder / "job.json").write_text(json.dumps(told))
        if not swept:
            (folder / "job.json").unlink()
            (folder / "overrides.json").write_text(json.dumps(told["words"]))
            (folder / "summary.json").write_text("{}")
    assert main(["report", "runs/my sweep"]) == 0
    page = html.unescape((tmp_path / "runs" / "my sweep" / "report.html").read_text(encoding="utf-8"))
    assert "compare only within one" in page and "To compare all networks" not in page
    for name in "01":
        (tmp_path / "runs" / "my sweep" / name / "checkpoints").mkdir()
    assert main(["report", "runs/my sweep"]) == 0
    page = html.unescape((tmp_path / "runs" / "my sweep" / "report.html").read_text(encoding="utf-8"))
    scored, reported = (shlex.split(command) for command in re.findall("“(csrgan (?:evaluate|report) [^”]*)”", page))
    source, there = ("", "") if swept else ("/0", "/0")
    words = ["degradation=readme", "evaluation.crop=64", f"run_dir=runs/my sweep_on_readme{there}"]
    assert scored == ["csrgan", "evaluate", f"checkpoint=runs/my sweep{source}", *words]
    assert reported == ["csrgan", "report", "runs/my sweep_on_readme"]
    check_command("evaluate", for_hydra(scored[2:]))


def test_a_difference_of_several_seeds_is_better_or_worse_if_it_is_relevant(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        for weight, gain in (("0", 1.0), ("1", 0.999976), ("2", 0.97), ("3", 0.93)):
            job(tmp_path / weight / str(seed), weight, gain=gain + 0.01 * seed, seed=seed)
    for word, last in (("relevant=0.05", "worse"), ("relevant=0.1", "no relevant difference")):
        assert main(["report", str(tmp_path), word]) == 0
        verdicts = [line["verdict"] for line in read(tmp_path / "report.csv")]
        told = ("no relevant difference", "no relevant difference", last)
        assert verdicts == ["baseline", *(f"{verdict} (3 seeds, 1 picture)" for verdict in told)]
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert f"A difference below {word.partition('=')[2]} dB is not relevant, and so neither better nor worse." in page


def test_equal_numbers_are_one_setting_however_they_are_written(tmp_path: Path) -> None:
    for index, (weight, seed) in enumerate((("0.50", 1), ("0.5", 2), ("1.0", 1), ("1", 2))):
        job(tmp_path / str(index), weight, gain=1.0 + float(weight), seed=seed)
    words = ["baseline=loss.parameters.weight=1.00", "label.loss.parameters.weight=0.50=half"]
    assert main(["report", str(tmp_path), *words]) == 0
    assert "half" in (tmp_path / "report.md").read_text(encoding="utf-8")
    found = {line["settings"]: line["verdict"] for line in read(tmp_path / "report.csv")}
    assert found == {"loss.parameters.weight=0.5": "worse (2 seeds, 1 picture)", "loss.parameters.weight=1": "baseline"}


def test_a_table_of_methods_and_test_sets_comes_from_one_command_twice_the_same(tmp_path: Path) -> None:
    for scale, (index, name) in product("24", enumerate(("bicubic", "dan", "ikc"))):
        words = [f"degradation=bicubic_x{scale}", f"system={name}"]
        told = {"words": words, "command": "", "status": "complete", "reason": "", "seconds": 1.0}
        (tmp_path / scale / name).mkdir(parents=True)
        (tmp_path / scale / name / "job.json").write_text(json.dumps(told))
        fixed = {"blur_std": 0.0, "scale": float(scale), "noise_std": 0.0, "psnr_low": 20.0, "psnr_restored": 20.0 + index}
        pictures = [f"{folder}/{number}.png" for folder in ("Set5", "Set14") for number in range(5)]
        write(tmp_path / scale / name / "results.csv", [{"image": picture} | fixed for picture in pictures])
    command = ["report", str(tmp_path), "table=sets", "scores=[psnr_restored,gain]", "baseline=system=bicubic", "width=column"]
    command += ["label.system=dan=DAN, ours", "label.ikc=IKC [12]", "label.Set14=Fourteen", "font=DejaVu Serif"]
    command += ["label.psnr_restored=PSNR (dB)"]
    files: list[dict[str, bytes]] = []
    for _ in range(2):
        assert main(command) == 0
        files.append({str(file.relative_to(tmp_path)): file.read_bytes() for file in tmp_path.rglob("*.*") if file.is_file()})
    assert files[0] == files[1]
    lines = read(tmp_path / "sets.csv")
    assert [line["settings"] for line in lines] == ["system=bicubic", "DAN, ours", "IKC [12]"]
    sets = [f"{name} bicubic_x{scale}" for scale in "24" for name in ("Set5", "Fourteen")]
    assert list(lines[0])[1:] == [f"{name}, {score}" for name in sets for score in ("PSNR (dB)", "gain, dB")]
    assert lines[1]["Set5 bicubic_x2, PSNR (dB)"] == "21.00 [21.00, 21.00]"
    numbers = read(tmp_path / "numbers.csv")
    assert len(numbers) == 3 * 2 * 2 * 2
    assert {line["pictures"] for line in numbers} == {"5"}
    assert "IKC {[}12{]} & " in (tmp_path / "table.tex").read_text(encoding="utf-8")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "These settings were scored on 2 test sets, and compare only within one." in page
    assert "Sets, mean scores of each method with 95 % intervals" in page


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("label.loss.parameters.weigh=λ", "label has no loss.parameters.weigh. Its choices: "),
        ("font=Serifa", "font has no Serifa. Its choices: "),
        ("scores=[gain,ssim]", "scores has no ssim. Its choices: gain, psnr_restored, ssim_restored."),
        ("table=rows", "table has no rows. Its choices: groups, sets."),
        ("width=wide", "width has no wide. Its choices: column, page."),
        ("relevant=-1", "relevant=-1 is"),
    ],
)
def test_a_wish_that_cannot_be_met_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, sentence: str
) -> None:
    job(tmp_path / "0", "0", gain=1.0)
    job(tmp_path / "1", "0.1", gain=1.0)
    assert main(["report", str(tmp_path), word]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"csrgan report: {sentence}")
    assert told.count("\n") == 1
    assert not (tmp_path / "report.html").exists()


def test_a_run_and_an_evaluation_by_themselves_meet_on_one_page(tmp_path: Path) -> None:
    train(tmp_path / "both" / "run", "loss/adversarial=none")
    grid = ("evaluation.crop=64", "evaluation.grid={blur: 2, scale: 2, noise: 1}")
    assert main(["evaluate", "system=wiener", "degradation=readme", f"run_dir={tmp_path}/both/wiener", *grid]) == 0
    assert main(["report", f"{tmp_path}/both", "baseline=system=wiener"]) == 0
    assert {line["job"] for line in read(tmp_path / "both" / "rows.csv")} == {"run", "wiener"}
    lines = read(tmp_path / "both" / "report.csv")
    assert sorted(line["verdict"] == "baseline" for line in lines) == [False, True]
    assert "loss/adversarial=none" in lines[0]["settings"] + lines[1]["settings"]
    (tmp_path / "both" / "run" / "overrides.json").write_text("{}")
    assert main(["report", f"{tmp_path}/both"]) == 0
    assert "overrides.json is damaged" in (tmp_path / "both" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("checkpoint", "remedy"), [(True, "csrgan train resume="), (False, "start it anew.")])
def test_a_run_that_was_not_scored_is_told(
    checkpoint: bool, remedy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    (tmp_path / "run" / "overrides.json").write_text("[]")
    if checkpoint:
        (tmp_path / "run" / "checkpoints" / "last.ckpt").touch()
    assert main(["report", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "was not scored before it ended" in told
    assert remedy in told
