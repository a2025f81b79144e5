"""The page of csrgan demo: a photograph goes in; S beside L, theta^ and a file of S come out."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from omegaconf import DictConfig

from csrgan.api.model import untrained_scale
from csrgan.api.predicted_theta import Estimate, estimates
from csrgan.data import picture
from csrgan.data.search import left_out_line
from csrgan.errors import require
from csrgan.networks.tiles import Tile
from csrgan.picture_folders.series import failure
from csrgan.run_folder import LOW
from csrgan.training.evaluated import Evaluated
from csrgan.workflow.restored_picture import RestoredPicture, restored_picture

ENLARGE = (1, 2, 4)
REMEDY = "a smaller picture or a lower enlargement"
ABOUT = (
    "L is a photograph of yours, and S what the network makes of it. Photographs go to the computer that runs csrgan demo, and"
    " nowhere else."
)
BEFORE = "Choose a photograph: S appears here, and how L was degraded."
PLAIN: dict[str, Any] = {"buttons": ["fullscreen"], "elem_id": "slider"}
KEPT = 3600  # s: files of results are deleted when they are older
STYLE = (Path(__file__).parent / "demo_page.css").read_text(encoding="utf-8")


class Stopped(Exception):
    """The server ends; nobody waits for this picture."""


class Restoring:
    """What the page does with a photograph, one at a time. config: gives `tile`, `most_megapixels` and `most_mb`."""

    def __init__(self, system: Evaluated, config: DictConfig) -> None:
        self.system, self.tile = system, int(config.tile)
        self.most_megapixels, self.most_mb = float(config.most_megapixels), float(config.most_mb)
        self._stopping, self._busy = threading.Event(), threading.Lock()

    def stop(self) -> None:
        """Give up the picture at work, after its tile, and take no more."""
        self._stopping.set()
        with self._busy:
            pass

    def __call__(self, upload: str | None, enlarge: int, progress: gr.Progress = gr.Progress()) -> tuple[Any, ...]:  # noqa: B008
        """Return what the outputs of the page show for an uploaded file; only a sentence for one that cannot be used."""
        if upload is None:
            return nothing(said([BEFORE], []))
        file, decoded = Path(upload), None
        try:
            with self._busy:
                self._go_on()
                self._examine(file, enlarge)
                data = picture.load(file)
                decoded = picture.decode(data, picture.called(Path(file.name)))
                made = self._restored(file, decoded, enlarge, progress)
                self._go_on()
                progress(1.0, desc="writing")
                low, restored = self._written(file, decoded, made)
                found = made.findings
                notes = [
                    *untrained_scale(self.system.restorer, enlarge),
                    *found.warnings,
                    left_out_line({}, [picture.frames(data)]),
                ]
        except Exception as reason:
            return nothing(said([], [failure(reason, Path(file.name), decoded, "restored", REMEDY)]))
        what = f"{decoded.width}x{decoded.height} px became {made.canvas.pixels.shape[1]}x{made.canvas.pixels.shape[0]} px."
        table = theta_table(list(estimates(found.values, found.prior, found.witness)))
        return (
            said([what], [note for note in notes if note]),
            gr.update(value=(str(low), str(restored)), visible=True),
            gr.update(value=str(restored), visible=True),
            gr.update(value=table, visible=bool(found.values)),
        )

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise Stopped

    def _examine(self, file: Path, enlarge: int) -> None:
        """Raise UserError, before anything is decoded, for a picture whose S would be too large."""
        name = picture.called(Path(file.name))
        height, width = picture.size(file, name)
        times = enlarge * self.system.restorer.enlarge
        megapixels = height * width * times**2 / 1e6
        require(
            megapixels <= self.most_megapixels,
            f"{name} has {width}x{height} px, so S would have {megapixels:.1f} megapixels, and this page makes at most"
            f" {self.most_megapixels:g}: choose {REMEDY}, or start csrgan demo with a larger most_megapixels.",
        )

    def _restored(self, file: Path, source: picture.Picture, enlarge: int, progress: gr.Progress) -> RestoredPicture:
        def shown(tiles: Sequence[Tile], doing: str) -> Iterator[Tile]:
            for index, tile in enumerate(tiles):
                self._go_on()
                progress((index, len(tiles)), desc=doing, unit="tiles")
                yield tile

        name = picture.called(Path(file.name))
        return restored_picture(
            self.system, file, source, name=name, suffix=".png", factor=float(enlarge), tile=self.tile, shown=shown
        )

    def _written(self, file: Path, source: picture.Picture, made: RestoredPicture) -> tuple[Path, Path]:
        """Write L, as browsers can show it, and S into a folder of their own."""
        folder = Path(tempfile.mkdtemp(dir=gr.utils.get_upload_folder()))
        low, restored = folder / LOW, folder / f"{file.stem}-restored.png"
        picture.write(low, source.tensor(), like=source)
        picture.write(restored, made.canvas)
        return low, restored


def _take_uploads_alone(upload: gr.File) -> None:
    """Let a file come from the browser alone. A request could name one by its URL, which Gradio would fetch, or by its path in the
    folder in which the command began."""
    moved = upload.async_move_resource_to_block_cache

    async def uploaded(path: Any) -> str | None:
        folder = Path(gr.utils.get_upload_folder()).resolve()
        require(Path(str(path)).resolve().is_relative_to(folder), f"{path} is no file that was uploaded.")
        return await moved(path)

    vars(upload)["async_move_resource_to_block_cache"] = uploaded


def nothing(sentences: str) -> tuple[Any, ...]:
    """Return the outputs of the page without a result."""
    hidden = gr.update(value=None, visible=False)
    return sentences, hidden, hidden, hidden


def said(plain: Sequence[str], alerts: Sequence[str]) -> str:
    """Return sentences as HTML; alerts stand out, and are read aloud at once."""
    return "".join((*(f"<p>{escape(line)}</p>" for line in plain), *(f'<p role="alert">{escape(line)}</p>' for line in alerts)))


def theta_table(found: Sequence[Estimate]) -> str:
    """Return theta^ as a table in HTML, with its 90 % intervals if there are any."""
    intervals = any(each.interval for each in found)
    heads = ("", "predicted", *(["90 % interval"] if intervals else []), "unit")
    rows = []
    for each in found:
        note = ", not certain" if each.may_be_absent else ""
        ends = [f"{' to '.join(map(each.shown, each.interval))}{note}" if each.interval else ""] if intervals else []
        value = " ".join(filter(None, (each.shown(each.value), each.aside)))
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in (value, *ends, each.unit))
        rows.append(f'<tr><th scope="row">{escape(each.what)}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f"<table><caption>How L was degraded</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def app(restoring: Restoring, *, title: str) -> FastAPI:
    """Return the server of the page. Requests wait for each other in a queue."""
    most = f"Up to {restoring.most_megapixels:g} megapixels after enlarging, and {restoring.most_mb:g} MB."
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(KEPT // 4, KEPT)) as page:
        gr.HTML(f"<h1>{escape(title)}</h1><p>{ABOUT} {most}</p>", elem_id="head")
        with gr.Row():
            with gr.Column(scale=1, min_width=320):
                upload = gr.File(label="L: PNG, JPEG, WebP, TIFF, BMP, GIF or PPM", height=160, elem_id="photograph")
                enlarge = gr.Radio([(f"{times}x", times) for times in ENLARGE], value=1, label="Enlarge", elem_id="enlarge")
            with gr.Column(scale=2, min_width=320):
                sentences = gr.HTML(said([BEFORE], []), elem_id="said")
                slider = gr.ImageSlider(label="L left, S right", visible=False, interactive=False, max_height=800, **PLAIN)
                download = gr.DownloadButton("Download S as PNG", variant="primary", visible=False, elem_id="download")
                table = gr.HTML(visible=False, apply_default_css=False, elem_id="theta")
        outputs = [sentences, slider, download, table]
        begins = [upload.upload, enlarge.input]
        gr.on(begins, restoring, [upload, enlarge], outputs, trigger_mode="always_last", show_progress_on=[sentences])
        _take_uploads_alone(upload)
        upload.clear(lambda: nothing(said([BEFORE], [])), None, outputs, queue=False)
    page.queue(api_open=False, default_concurrency_limit=1)
    theme = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    return gr.mount_gradio_app(
        FastAPI(openapi_url=None),
        page,
        path="/",
        footer_links=[],
        run_history=False,
        max_file_size=int(restoring.most_mb * 2**20),
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        theme=theme,
        css=STYLE,
    )
