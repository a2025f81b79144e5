"""csrgan dashboard: the workspace of Weights & Biases, defined here; created there, or written to a file by who has no account."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from csrgan.config.build import checked_settings
from csrgan.config.folder import groups
from csrgan.console import Console
from csrgan.errors import UserError
from csrgan.evaluation.metrics import METRICS
from csrgan.files import relative
from csrgan.loggers.wandb_auth import mode, reason
from csrgan.run_folder import PANELS

if TYPE_CHECKING:
    from wandb_workspaces.workspaces import Section, Workspace

# A family of losses is a folder of conf/, and a term of the generator's loss.
TERMS = [name.removeprefix("loss/") for name, _ in groups() if name.startswith("loss/")]
STEP, GAIN = "images_seen", "valid/gain_db"
VARIED = ("loss.parameters.weight", "degradation.blur.high")  # what the parallel coordinates set against the gain

# Sections of charts; of a chart, its title and the metrics drawn in it.
CHARTS = {
    "Quality": {"Gain of S over L, dB": [GAIN]}
    | {metric.heading: [f"valid/{name}_restored", f"valid/{name}_low"] for name, metric in METRICS.items()},
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
    """Create the workspace at the server, or write it to the file. Raises UserError where the server does not take it."""
    settings = checked_settings(config)
    os.environ.setdefault("WANDB_SILENT", "true")
    made = workspace(settings["project"], settings["entity"] or "", settings["title"])
    file, where = Path(settings["file"]), relative(settings["file"])
    if mode() != "online":
        _write(made, file)
        said = f"{where}: nobody is logged in to Weights & Biases, or WANDB_MODE keeps away from it."
        said += " To create this workspace there, run wandb login and give the same command again."
    else:
        try:
            said = _create(made)
        except Exception as error:
            _write(made, file)
            raise UserError(f"the server of Weights & Biases took no workspace ({reason(error)}); it is kept in {where}.") from None
    Console().print(said, highlight=False, markup=False, soft_wrap=True)
    return 0


def workspace(project: str, entity: str, title: str) -> Workspace:
    """Charts against images seen, pictures, the varied settings against the gain, and every prediction.

    Metrics that have no chart here get one from the server. Raises UserError where the library is missing.
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
    shown: dict[str, list[Any]] = {
        name: [panels.LinePlot(title=title, x=STEP, y=[*metrics]) for title, metrics in charts.items()]
        for name, charts in CHARTS.items()
    } | {
        "Comparison": [panels.ParallelCoordinatesPlot(title="Lambda and blur range against the gain", columns=columns)],
        "Pictures": [panels.MediaBrowser(title="S | L | H", media_keys=[PANELS], num_columns=1)],
        "Predictions": [panels.WeavePanelSummaryTable(table_name="predictions")],
    }
    return [
        Section(name=name, panels=held, is_open=True, layout_settings=SectionLayoutSettings(*_grid(len(held))))
        for name, held in shown.items()
    ]


def _grid(panels: int) -> tuple[int, int]:
    """Columns and rows in which all panels of a section are seen at once."""
    columns = min(panels, 3)
    return columns, -(-panels // columns)


def _create(made: Workspace) -> str:
    """The address of the workspace at the server, made just now."""
    import wandb

    made.entity = made.entity or wandb.Api().default_entity or ""
    return str(made.save().url)  # type: ignore[no-untyped-call]


def _write(made: Workspace, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    definition = made._to_model().model_dump(by_alias=True, exclude_none=True)  # what `save` sends; there is no public name for it
    file.write_text(json.dumps(definition, indent=1) + "\n", encoding="utf-8")
