"""What the page of each command says: `csrgan COMMAND --help`, and the site. What the yaml files say about a key is not here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """The page of a command.

    purpose: what it does, in a line. usage: the words after the command. keys: those that are used most, each with an example.
    examples: what each does, with the whole command. writes: the files that stay. status: exit statuses beside 0 and 2, which
    is for input that cannot be used. site: pages of the site to read next, each as "Section, Title" or the beginning of a title.
    """

    purpose: str
    usage: tuple[str, ...]
    keys: Mapping[str, str]
    examples: Mapping[str, str]
    writes: str
    site: tuple[str, ...] = ()
    status: str = ""


PAGES = {
    "train": Page(
        purpose="train a system; write scores, panels and checkpoints into one run folder",
        usage=("[key=value ...]", "-m key=a,b [key=value ...]"),
        keys={
            "data": "data=folder data.train=photos/train data.valid=photos/valid",
            "system": "system=srgan degradation=bicubic_x4",
            "trainer": "trainer=smoke",
            "trainer.images": "trainer.images=100000",
            "logger": "logger=csv",
            "run_dir": "run_dir=runs/first",
        },
        examples={
            "change one factor of the default run": "csrgan train output=minmax run_dir=runs/minmax",
            "run a sweep: each weight of the parameter loss, with three seeds": (
                "csrgan train -m loss.parameters.weight=0,0.1,1 seed=0,1,2"
            ),
            "continue a run that was stopped": "csrgan train resume=runs/first",
        },
        writes="run_dir gets config.yaml, metrics.csv, results.csv, summary.json, checkpoints/, panels/ and pictures/;"
        " a sweep writes such a folder for each job.",
        status="1 if health stops the training or a job of a sweep fails; 130 after Ctrl-C, with a checkpoint to resume from",
        site=("Tutorials, Your first model", "How-to guides, Stop and resume", "Reference, Configuration"),
    ),
    "evaluate": Page(
        purpose="score a checkpoint on photographs over a fixed grid of degradations",
        usage=(
            "RUN [key=value ...]",
            "system=NAME degradation=NAME [key=value ...]",
            "results=FOLDER data=pairs data.valid=FOLDER [key=value ...]",
        ),
        keys={
            "checkpoint": "checkpoint=runs/first",
            "data.valid": "data.valid=photos/valid",
            "degradation": "degradation=readme",
            "evaluation": "evaluation=whole",
            "run_dir": "run_dir=runs/evaluate/first",
        },
        examples={
            "score a run on your photographs": "csrgan evaluate checkpoint=runs/first data.valid=photos/valid",
            "score a method that needs no training": "csrgan evaluate system=wiener degradation=readme",
            "score the pictures that a program restored": (
                "csrgan evaluate results=theirs data=pairs data.valid=set evaluation=whole"
            ),
        },
        writes="run_dir gets results.csv (a row for each picture and degradation), summary.json, config.yaml, panels/ and"
        " pictures/; for a sweep, such a folder for each job.",
        site=("Reference, Metrics", "How-to guides, Score somebody else's results"),
    ),
    "restore": Page(
        purpose="restore photographs and estimate how they were degraded",
        usage=(
            "PICTURES destination=FOLDER [checkpoint=RUN] [key=value ...]",
            "PICTURES system=kernelgan degradation=NAME destination=FOLDER",
        ),
        keys={
            "checkpoint": "checkpoint=runs/first",
            "source": "source=photos/valid",
            "destination": "destination=restored",
            "enlarge": "enlarge=2.0",
            "overwrite": "overwrite=true",
            "device": "device=cuda",
        },
        examples={
            "restore pictures and folders, as many as you name": "csrgan restore photo.png photos/valid destination=restored",
            "enlarge one picture to twice its size, with a network of your own": (
                "csrgan restore photo.png checkpoint=runs/first destination=big enlarge=2.0"
            ),
            "learn from the picture itself, without a checkpoint": (
                "csrgan restore system=kernelgan degradation=div2krk_x2 source=photo.png destination=big"
            ),
        },
        writes="destination gets the restored pictures, under their own names, and parameters.csv: the blur, scale and noise that"
        " were found in each, and scores that need no sharp picture. The same command continues after an interruption.",
        status="1 if some pictures could not be restored, with a sentence for each; 130 after Ctrl-C",
        site=("Tutorials, Restore your own photographs",),
    ),
    "demo": Page(
        purpose="open a page in the browser to try a network on photographs",
        usage=("[RUN] [key=value ...]",),
        keys={
            "checkpoint": "checkpoint=runs/first",
            "port": "port=8080",
            "host": "host=0.0.0.0",
            "most_megapixels": "most_megapixels=50",
            "most_mb": "most_mb=300",
            "device": "device=cuda",
        },
        examples={
            "try the network that comes with csrgan, on this computer alone": "csrgan demo",
            "try a run": "csrgan demo checkpoint=runs/first",
            "take larger photographs, on a GPU": "csrgan demo checkpoint=runs/first device=cuda most_megapixels=50",
        },
        writes="nothing that stays: photographs and results are deleted when it ends. It needs the extra: pip install"
        " -e '.[demo]'.",
        status="130 after Ctrl-C, which ends it",
        site=("How-to guides, Try a model in the browser",),
    ),
    "publish": Page(
        purpose="export a trained network by itself, with a page that describes it",
        usage=("RUN destination=FOLDER",),
        keys={"checkpoint": "checkpoint=runs/first", "destination": "destination=published", "format": "format=onnx"},
        examples={
            "export the network of a run": "csrgan publish checkpoint=runs/first destination=published",
            "export it as ONNX too": "csrgan publish checkpoint=runs/first destination=published format=onnx",
            "restore with what was published": (
                "csrgan restore checkpoint=published/network.safetensors source=photo.png destination=restored"
            ),
        },
        writes="destination gets network.safetensors, a quarter of a checkpoint, with format=onnx also network.onnx, and README.md:"
        " how it was trained, its scores and its SHA-256.",
        site=("How-to guides, Publish a model",),
    ),
    "degrade": Page(
        purpose="degrade photographs with known parameters to make a benchmark set",
        usage=("PICTURES destination=FOLDER [key=value ...]",),
        keys={
            "source": "source=photos/valid",
            "destination": "destination=benchmark",
            "degradation": "degradation=gaussian8_x2",
            "per_image": "per_image=4",
            "crop": "crop=512",
            "format": "format=npy",
        },
        examples={
            "degrade a folder with the default protocol": "csrgan degrade source=photos/valid destination=benchmark",
            "make four versions of each picture, with less blur": (
                "csrgan degrade source=photos/valid destination=mild per_image=4 degradation.blur.high=4"
            ),
        },
        writes="destination gets sharp/ (H), low/ (L), parameters.csv and sheet.png, and kernels.npy where kernels are not"
        " isotropic Gaussians. The same seed gives the same files on any machine.",
        status="1 if some pictures could not be read, with a sentence for each; 130 after Ctrl-C",
        site=("Reference, Degradations", "How-to guides, Score somebody else's results"),
    ),
    "prepare": Page(
        purpose="decode photographs ahead of a training, or pack them into shards",
        usage=("[data=NAME] [key=value ...]",),
        keys={
            "data": "data=folder data.train=photos/train data.valid=photos/valid",
            "format": "format=shards destination=shards data=folder data.train=photos/train",
            "destination": "destination=shards",
            "shard_mb": "shard_mb=1024",
            "data.cache": "data.cache=cache",
            "data.cache_mb": "data.cache_mb=50000",
        },
        examples={
            "decode your photographs now": "csrgan prepare data=folder data.train=photos/train data.valid=photos/valid",
            "pack a folder into a few large files": (
                "csrgan prepare format=shards destination=shards data=folder data.train=photos/train"
            ),
            "train on these files": "csrgan train data=stream data.train=shards data.valid=photos/valid",
        },
        writes="decoded photographs in the cache folder, which later trainings share; or shards in destination, which WebDataset"
        " reads too.",
        site=("How-to guides, Use your own data",),
    ),
    "compare": Page(
        purpose="show folders of pictures side by side on one page, with scores",
        usage=("FOLDER FOLDER ... [sharp=FOLDER] [key=value ...]",),
        keys={
            "folders": "folders=[restored,theirs]",
            "sharp": "sharp=set/sharp",
            "metrics": "metrics=[ciede2000]",
            "destination": "destination=compare",
            "title": "title='Ours and theirs'",
        },
        examples={
            "compare what two programs made of the same pictures with the pictures themselves": (
                "csrgan compare photos/valid restored theirs destination=compare"
            ),
            "score them against the sharp pictures too": (
                "csrgan compare set/low restored theirs sharp=set/sharp destination=compare"
            ),
        },
        writes="destination gets compare.html, which loads nothing, and compare.csv with the scores of each picture.",
        status="1 if some pictures could not be read, with a sentence for each",
        site=("How-to guides, Score somebody else's results",),
    ),
    "report": Page(
        purpose="summarise sweeps, runs and evaluations on one page",
        usage=("FOLDER [key=value ...]",),
        keys={
            "folder": "folder=runs/sweeps",
            "score": "score=ciede2000_restored",
            "baseline": "baseline='loss.parameters.weight=0'",
            "relevant": "relevant=0.1",
            "table": "table=sets",
            "width": "width=column",
        },
        examples={
            "summarise everything below a folder": "csrgan report runs",
            "compare the jobs of a sweep with one of them": (
                "csrgan report runs/sweeps/lambda_sigma baseline='loss.parameters.weight=0'"
            ),
            "a LaTeX table of methods and test sets": "csrgan report runs/paper table=sets label.system=dan='DAN, ours'",
        },
        writes="the folder gets report.html (verdicts, charts and pictures; it loads nothing), report.md, report.csv, rows.csv,"
        " numbers.csv (one value a cell), table.tex (LaTeX) and figures/ (PNG, SVG and PDF).",
        site=("Tutorials, A sweep", "Tutorials, An ablation", "How-to guides, Make tables and figures"),
    ),
    "dashboard": Page(
        purpose="create a workspace of charts, pictures and tables at Weights & Biases",
        usage=("[project=NAME] [entity=TEAM]",),
        keys={
            "project": "project=blind",
            "entity": "entity=my-team",
            "title": "title=blind",
            "file": "file=dashboard.json",
        },
        examples={
            "create the workspace of the default project": "csrgan dashboard",
            "create it for a project of your team": "csrgan dashboard project=blind entity=my-team",
        },
        writes="a workspace at Weights & Biases; where nobody is logged in, its definition in a file. It needs the extra: pip"
        " install -e '.[dashboard]' in the clone of csrgan.",
        site=("How-to guides, Log to wandb",),
    ),
    "replay": Page(
        purpose="repeat the step on a batch that a run skipped, and show what was not finite",
        usage=("FILE",),
        keys={"file": "file=runs/first/replay/batch_000123.pt"},
        examples={"repeat the step on the file that the run named": "csrgan replay runs/first/replay/batch_000123.pt"},
        writes="nothing: it prints the inputs, each loss term, and the first layer whose output is not finite.",
        site=("Tutorials, A GAN that does not collapse",),
    ),
    "bench": Page(
        purpose="time the degradation, a training step and the reading of crops",
        usage=("[key=value ...]",),
        keys={
            "sizes": "sizes=[256]",
            "max_stds": "max_stds=[4]",
            "batch": "batch=8",
            "steps": "steps=0",
            "device": "device=cpu",
            "file": "file=bench.json",
        },
        examples={
            "time everything, which takes minutes": "csrgan bench",
            "time one size of the degradation and nothing else": (
                "csrgan bench sizes=[256] max_stds=[4] steps=0 loop.turns=0 reading.count=0"
            ),
        },
        writes="one json file with every number; tables on the terminal.",
        site=("Explanation, The degradation",),
    ),
    "list": Page(
        purpose="show the groups of choices, and what each choice is",
        usage=("[GROUP]",),
        keys={"group": "group=loss/image"},
        examples={
            "show all groups, with the number of their choices and the most used ones": "csrgan list",
            "show what each choice is, of a group or of all groups below a name": "csrgan list loss",
            "show it for all groups": "csrgan list all",
        },
        writes="nothing: it prints a table. Choices of your own packages are in it too.",
        site=("Reference, Configuration",),
    ),
    "completion": Page(
        purpose="print the script for tab completion in bash or zsh",
        usage=("bash", "zsh"),
        keys={},
        examples={
            "turn it on in bash, from the next terminal on": "echo 'eval \"$(csrgan completion bash)\"' >> ~/.bashrc",
            "turn it on in zsh": "echo 'eval \"$(csrgan completion zsh)\"' >> ~/.zshrc",
        },
        writes="nothing: it prints the script, with which Tab completes commands, groups, choices, keys and files.",
    ),
    "new": Page(
        purpose="write a package of your own with a network, loss, system and degradation, ready to train",
        usage=("FOLDER",),
        keys={"folder": "folder=my-nets"},
        examples={
            "write the package my_nets": "csrgan new my-nets",
            "train with it from its folder, without installing it": (
                "cd my-nets && CSRGAN_ALLOW=my_nets csrgan train experiment=my_nets trainer=smoke"
            ),
        },
        writes="the folder gets the package, its yaml files, its tests and README.md, which describes them. pip install -e FOLDER"
        " lets csrgan find it anywhere.",
        site=("Tutorials, Your own network",),
    ),
}
