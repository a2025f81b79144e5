"""Published numbers beside what was measured."""

from __future__ import annotations

import math

from csrgan.reports.published import Entry, Measured, canonical, table

ENTRIES = [
    Entry("bicubic_x4", "Set5", "bicubic", 28.42, 0.8104, "EDSR", "2017", "https://arxiv.org/abs/1707.02921"),
    Entry("bicubic_x4", "BSD100", "bicubic", 25.96, math.nan, "EDSR", "2017", ""),
    Entry("gaussian8_x4", "Set5", "IKC", 31.67, 0.8829, "DAN", "", ""),
]


def run(protocol: str, name: str, method: str, psnr: float, ssim: float = 0.8, remark: str = "") -> Measured:
    return Measured(protocol, name, method, psnr, ssim, remark)


def test_names_are_compared_as_the_field_writes_them() -> None:
    assert canonical("BSDS100") == canonical("B100") == canonical("bsd_100") == "bsd100"
    assert canonical("dan_v2") == canonical("DANv2")
    assert canonical("srmd_official") == canonical("SRMD") != canonical("SRMDNF")
    assert canonical("KernelGAN + ZSSR") == canonical("KernelGAN+ZSSR")


def test_each_line_has_the_published_number_ours_and_their_difference() -> None:
    headings, *lines = table(ENTRIES, [run("bicubic_x4", "Set5", "bicubic", 28.4251, 0.8101)], asked=False)
    line = dict(zip(headings, lines[0], strict=True))
    assert line["PSNR of Y, dB, published"] == "28.42"
    assert line["PSNR of Y, dB, here"] == "28.43"
    assert line["PSNR of Y, dB, difference"] == "+0.01"
    assert line["SSIM of Y, difference"] == "-0.0003"
    assert line["source"] == "EDSR (2017) https://arxiv.org/abs/1707.02921"
    assert len(lines) == 1


def test_what_was_not_run_or_not_published_says_so_and_seeds_are_averaged() -> None:
    runs = [run("gaussian8_x4", "Set5", "csrgan", 29.0), run("gaussian8_x4", "Set5", "csrgan", 30.0)]
    headings, *lines = table(ENTRIES, [*runs, run("bicubic_x4", "BSDS100", "bicubic", 26.0)], asked=False)
    ours, ikc, bsd = (dict(zip(headings, line, strict=True)) for line in lines)
    assert (ours["PSNR of Y, dB, here"], ours["PSNR of Y, dB, published"]) == ("29.50", "-")
    assert (ours["source"], ours["remark"]) == ("none published", "mean of 2 runs")
    assert (ikc["method"], ikc["PSNR of Y, dB, here"], ikc["remark"]) == ("IKC", "-", "not run here")
    assert (bsd["PSNR of Y, dB, difference"], bsd["SSIM of Y, published"], bsd["SSIM of Y, difference"]) == ("+0.04", "-", "-")


def test_runs_that_were_scored_otherwise_are_not_averaged() -> None:
    runs = [run("bicubic_x4", "Set5", "bicubic", 28.0), run("bicubic_x4", "Set5", "bicubic", 30.0, remark="not rounded")]
    lines = table(ENTRIES, runs, asked=False)[1:]
    assert [(line[4], line[-2]) for line in lines] == [("28.00", ""), ("30.00", "not rounded")]


def test_pictures_that_are_no_known_set_make_no_table_unless_it_is_asked_for() -> None:
    runs = [run("gaussian8_x4", "", "csrgan", 29.0)]
    assert table(ENTRIES, runs, asked=False) == []
    assert table(ENTRIES, runs, asked=True)[1][:3] == ["gaussian8_x4", "unknown, see published_as.set", "csrgan"]
