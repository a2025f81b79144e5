"""csrgan dashboard: create a workspace at Weights & Biases, or write its definition to a file where nobody is logged in."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from csrgan.config.build import checked_settings
from csrgan.config.folder import groups
from csrgan.console import Console
from csrgan.errors import UserError
from csrgan.evaluation.metrics import METRICS, computed
from csrgan.files import relative
from csrgan.loggers.wandb_auth import mode, reason
from csrgan.run_folder import PANELS

if TYPE_CHECKING:
    from wandb_workspaces.reports.v2.interface import PanelTypes
    from wandb_workspaces.workspaces import Section, Workspace

# A folder of conf/loss is a family of losses, and one term of the generator's loss.
TERMS = [name.removeprefix("loss/") for name, _ in groups() if name.startswith("loss/")]
STEP, GAIN = "images_seen", "valid/gain_db"
VARIED = ("loss.parameters.weight", "degradation.blur.high")  # settings that the parallel coordinates plot against the gain

# Sections of charts: each chart's title, and the metrics that it draws.
CHARTS = {
    "Quality": {"Gain of S over L, dB": [GAIN]}
    | {METRICS[name].heading: [f"valid/{name}_restored", f"valid/{name}_low"] for name in computed()},
    "Predicted degradation": {
        "Error of the blur std, px": ["valid/blur_std_mae", "valid/blur_std_mae_prior_mean"],
        "Error of the scale": ["valid/scale_mae", "valid/scale_mae_prior_mean"],
        "Error of the noise std": ["valid/noise_std_mae", "valid/noise_std_mae_prior_mean"],
        "R2": ["valid/blur_std_r2", "valid/scale_r2", "valid/noise_std_r2"],
    },
    "Training": {
        "Generator's loss, by term": [f"generator/{term}" for term in TERMS],
        "Discriminator's loss": ["discriminator/adversarial"],
        "D(real) and D(fake)": ["D(real)", "D(fake)"],
        "Shares of the generator's loss": [f"loss_share/{term}" for term in TERMS],
        "Shares of its gradient": [f"gradient_share/{term}" for term in TERMS],
        "Cosine of the image's and the parameters' gradients": ["cosine/image_parameters"],
        "Gradient norms": ["generator/gradient_norm", "discriminator/gradient_norm"],
        "Images/s": ["images_per_second"],
    },
}


def run(config: DictConfig) -> int:
    """Create the workspace at the server, or write it to the file. Raises UserError if the server refuses it."""
    settings = checked_settings(config)
    os.environ.setdefault("WANDB_SILENT", "true")
    space = workspace(settings["project"], settings["entity"] or "", settings["title"])
    file, where = Path(settings["file"]), relative(settings["file"])
    if mode() != "online":
        _write(space, file)
        sentence = (
            f"{where}: the workspace is in this file, because nobody is logged in to Weights & Biases or WANDB_MODE is offline."
        )
        sentence += " To create it there, run wandb login and then this command again."
    else:
        try:
            sentence = _create(space)
        except Exception as error:
            _write(space, file)
            raise UserError(
                f"the server of Weights & Biases did not take the workspace ({reason(error)}); it is in {where} instead."
            ) from None
    Console().print(sentence, highlight=False, markup=False, soft_wrap=True)
    return 0


def workspace(project: str, entity: str, title: str) -> Workspace:
    """Define charts over images seen, pictures, the varied settings against the gain, and every prediction.

    The server adds a chart for each metric that has none here. Raises UserError if the library is missing.
    """
    try:
        from wandb_workspaces.workspaces import Workspace, WorkspaceSettings
    except ModuleNotFoundError:
        raise UserError("csrgan dashboard needs wandb-workspaces: .venv/bin/pip install '.[dashboard]'.") from None
    return Workspace(
        entity=entity,
        project=project,
        name=title,
        sections=_sections(),
        settings=WorkspaceSettings(x_axis=STEP),
        auto_generate_panels=True,
    )


def _sections() -> list[Section]:
    from wandb_workspaces.reports.v2 import interface as panels
    from wandb_workspaces.workspaces import Section, SectionLayoutSettings

    columns = [panels.ParallelCoordinatesPlotColumn(metric=panels.Config(name), display_name=name) for name in VARIED]
    columns.append(panels.ParallelCoordinatesPlotColumn(metric=panels.SummaryMetric(GAIN), display_name=GAIN))
    shown: dict[str, list[PanelTypes]] = {
        name: [panels.LinePlot(title=title, x=STEP, y=[*metrics]) for title, metrics in charts.items()]
        for name, charts in CHARTS.items()
    }
    shown["Comparison"] = [panels.ParallelCoordinatesPlot(title="Lambda and blur range against the gain", columns=columns)]
    shown["Pictures"] = [panels.MediaBrowser(title="S | L | H", media_keys=[PANELS], num_columns=1)]
    shown["Predictions"] = [panels.WeavePanelSummaryTable(table_name="predictions")]
    return [
        Section(name=name, panels=drawn, is_open=True, layout_settings=SectionLayoutSettings(*_grid(len(drawn))))
        for name, drawn in shown.items()
    ]


def _grid(panels: int) -> tuple[int, int]:
    """Return the columns and rows that show all panels of a section at once."""
    columns = min(panels, 3)
    return columns, -(-panels // columns)


def _create(space: Workspace) -> str:
    """Create the workspace at the server and return its address."""
    import wandb

    space.entity = space.entity or wandb.Api().default_entity or ""
    save: Callable[[], Workspace] = space.save
    return str(save().url)


def _write(space: Workspace, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    definition = space._to_model().model_dump(by_alias=True, exclude_none=True)  # what `save` sends; it has no public name
    file.write_text(json.dumps(definition, indent=1) + "\n", encoding="utf-8")
