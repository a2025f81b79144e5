"""Drawn kernels against what their sources say of them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from scipy.io import savemat
from scipy.signal import convolve2d

from csrgan.degradation import kernel_files
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.kernel_priors import Anisotropic, FreeForm, Mixed, isotropic, rms_std, rotated_gaussian, twice
from csrgan.degradation.kernels import ellipticity, moments
from csrgan.degradation.parameters import NAMES
from csrgan.errors import UserError


def drawn(shape: Anisotropic, low: float, high: float, size: int | None, shift: float = 0.0, count: int = 400) -> tuple:
    generator = np.random.default_rng(1)
    std = torch.from_numpy(generator.uniform(low, high, count) ** 0.5)
    kernels, blur_std = shape.draw(generator, std, bounds=(low**0.5, high**0.5), size=size, shift=shift)
    return std, kernels, blur_std


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 135.0])
def test_a_rotated_gaussian_has_the_moments_it_was_made_with(angle: float) -> None:
    """The angle runs from x to y: at 30 degrees the kernel is longest towards greater columns and greater rows."""
    kernel = rotated_gaussian(np.array([9.0]), np.array([2.0]), np.radians([angle]), 41, 0.5)
    found = {name: float(value) for name, value in moments(torch.from_numpy(kernel / kernel.sum())).items()}
    assert found == pytest.approx(
        {"std_major": 3.0, "std_minor": 2**0.5, "angle_deg": angle, "centre_x": 0.5, "centre_y": 0.5}, abs=1e-3
    )
    if angle == 30:
        assert kernel[0, 24, 26] > kernel[0, 24, 14]


def test_srmd_draws_the_second_variance_below_the_first() -> None:
    std, kernels, blur_std = drawn(Anisotropic(ordered=True, noise=0.0, stages=1), 0.1, 10.0, None)
    torch.testing.assert_close(kernels.sum(dim=(1, 2)), torch.ones(400, dtype=torch.float64))
    found = moments(kernels)
    wide = std > 1  # sampled at pixels, a narrower Gaussian has another variance than the continuous one
    torch.testing.assert_close(found["std_major"][wide], std[wide], atol=0.02, rtol=0)
    torch.testing.assert_close(rms_std(kernels)[wide], blur_std[wide], atol=0.05, rtol=0)
    share = (found["std_minor"][wide] ** 2 - 0.1) / (std[wide] ** 2 - 0.1)
    assert float(share.mean()) == pytest.approx(0.5, abs=0.05)
    assert found["angle_deg"].min() < 10
    assert found["angle_deg"].max() > 170


def test_kernelgans_benchmark_draws_both_variances_from_one_range_and_scales_every_tap() -> None:
    smooth, rough = (drawn(Anisotropic(ordered=False, noise=noise, stages=1), 0.6, 5.0, 11, 0.5)[1] for noise in (0.0, 0.25))
    ratio = rough / smooth * (smooth.sum(dim=(1, 2), keepdim=True) / rough.sum(dim=(1, 2), keepdim=True))
    middle = ratio[:, 5, 5] / ratio.mean(dim=(1, 2))
    assert 0.7 < float(middle.min()) < 0.8
    assert 1.2 < float(middle.max()) < 1.3
    torch.testing.assert_close(moments(smooth)["centre_x"], torch.full((400,), 0.5, dtype=torch.float64), atol=0.08, rtol=0)


def test_two_stages_are_two_down_samplings() -> None:
    _, once, _ = drawn(Anisotropic(ordered=False, noise=0.25, stages=1), 0.6, 5.0, 11, 0.5, count=3)
    composed = twice(once)
    assert composed.shape == (3, 31, 31)
    for kernel, whole in zip(once.numpy(), composed.numpy(), strict=True):
        dilated = np.zeros((21, 21))
        dilated[::2, ::2] = kernel
        np.testing.assert_allclose(whole, convolve2d(dilated, kernel), atol=1e-15)
    _, kernels, blur_std = drawn(Anisotropic(ordered=False, noise=0.0, stages=2), 3.0, 25.0, 61, 1.5, count=50)
    torch.testing.assert_close(rms_std(kernels), blur_std, atol=0.03, rtol=0)
    torch.testing.assert_close(moments(kernels)["centre_y"], torch.full((50,), 1.5, dtype=torch.float64), atol=0.02, rtol=0)


def test_a_file_gives_its_kernels(tmp_path: Path) -> None:
    own = isotropic(torch.tensor([1.0, 2.0, 3.0]), 9)
    np.save(tmp_path / "kernels.npy", 7 * own.numpy())
    kernels, blur_std = FreeForm(file=str(tmp_path / "kernels.npy")).draw(
        np.random.default_rng(0), torch.zeros(60), bounds=(0.0, 4.0), size=None, shift=0.0
    )
    nearest = torch.cdist(kernels.double().flatten(1), own.double().flatten(1)).min(dim=1)
    assert float(nearest.values.max()) < 1e-6
    assert set(nearest.indices.tolist()) == {0, 1, 2}
    torch.testing.assert_close(blur_std, rms_std(kernels))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.ones((2, 4, 4)), "shape (2, 4, 4)"),
        (np.ones((4, 4)), "shape (4, 4)"),
        (-np.ones((1, 3, 3)), "negative"),
        (np.full((1, 3, 3), np.nan), "not finite"),
        (np.zeros((1, 3, 3)), "zeros"),
        (np.array([["a"]]), "numbers"),
        (np.full((1, 3, 3), "a"), "numbers"),
    ],
)
def test_an_array_of_no_kernels_is_a_user_error(tmp_path: Path, array: np.ndarray, said: str) -> None:
    np.save(tmp_path / "kernels.npy", array)
    with pytest.raises(UserError) as told:
        _ = FreeForm(file=str(tmp_path / "kernels.npy")).kernels
    assert said in str(told.value)


def test_a_file_without_kernels_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "text.npy").write_text("no array")
    for name, said in (("absent.npy", "is not a file"), ("text.npy", "is not a readable")):
        with pytest.raises(UserError, match=said):
            _ = FreeForm(file=str(tmp_path / name)).kernels


def shakes() -> list[np.ndarray]:
    """Uneven kernels of several sizes."""
    return [np.random.default_rng(size).random((size, size)) for size in (5, 9, 7)]


def test_kernels_of_several_sizes_come_from_a_folder_or_a_matlab_file(tmp_path: Path) -> None:
    cells = np.empty((1, 3), object)
    for index, kernel in enumerate(shakes()):
        np.save(tmp_path / f"kernel_{index}.npy", kernel)
        cells[0, index] = kernel
    folder, file = FreeForm(file=str(tmp_path)).kernels, tmp_path / "matlab" / "kernels.mat"
    file.parent.mkdir()
    savemat(file, {"kernels": cells, "other": 1.0})
    assert torch.equal(folder, FreeForm(file=str(file)).kernels)
    for found, kernel in zip(folder.numpy(), shakes(), strict=True):
        edge = (9 - len(kernel)) // 2
        np.testing.assert_allclose(found, np.pad(kernel, edge) / kernel.sum())
    stack = np.stack([kernel[:5, :5] for kernel in shakes()], axis=-1)  # as MATLAB has it, the count last
    with h5py.File(tmp_path / "matlab" / "new.mat", "w", userblock_size=512) as held:  # as MATLAB 7.3 has it, every axis reversed
        cells_of = [held.create_dataset(f"#refs#/{index}", data=kernel.T) for index, kernel in enumerate(shakes())]
        kernels = held.create_dataset("kernels", (len(cells_of), 1), dtype=h5py.ref_dtype)
        kernels[:, 0] = [cell.ref for cell in cells_of]
    assert torch.equal(folder, FreeForm(file=str(tmp_path / "matlab" / "new.mat")).kernels)
    savemat(file, {"anything": stack})
    np.testing.assert_allclose(FreeForm(file=str(file)).kernels[1], stack[..., 1] / stack[..., 1].sum())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"a": np.ones((3, 3)), "b": 1.0}, "has no variable kernels; it has a, b"),
        ({"kernels": "text"}, "shape"),
        ({}, "it has none"),
    ],
)
def test_a_matlab_file_without_kernels_is_a_user_error(tmp_path: Path, content: dict[str, object], said: str) -> None:
    savemat(tmp_path / "file.mat", content)
    with pytest.raises(UserError, match=said):
        _ = FreeForm(file=str(tmp_path / "file.mat")).kernels


def test_a_matlab_file_reads_nothing_outside_itself(tmp_path: Path) -> None:
    file = tmp_path / "file.mat"
    np.ones((3, 3)).tofile(tmp_path / "secret")
    with h5py.File(file, "w", userblock_size=512) as held:
        held["kernels"] = h5py.ExternalLink(str(tmp_path / "other.mat"), "/kernels")
    with pytest.raises(UserError, match="kernels is a link, and csrgan reads nothing outside the file"):
        _ = FreeForm(file=str(file)).kernels
    with h5py.File(file, "w", userblock_size=512) as held:
        held.create_dataset("kernels", (3, 3), dtype="f8", external=str(tmp_path / "secret"))
    with pytest.raises(UserError, match="kernels lies in another file"):
        _ = FreeForm(file=str(file)).kernels
    with h5py.File(tmp_path / "other.mat", "w") as other:
        other["kernels"] = np.ones((3, 3))
    layout = h5py.VirtualLayout((3, 3), "f8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.mat"), "kernels", (3, 3))
    with h5py.File(file, "w", userblock_size=512) as held:
        held.create_virtual_dataset("kernels", layout)
    with pytest.raises(UserError, match="kernels lies in another file"):
        _ = FreeForm(file=str(file)).kernels


def test_without_h5py_its_command_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(tmp_path / "file.mat", "w", userblock_size=512) as held:
        held["kernels"] = np.ones((3, 3))
    monkeypatch.setattr(kernel_files, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"is of MATLAB 7\.3, and needs h5py: pip install h5py"):
        _ = FreeForm(file=str(tmp_path / "file.mat")).kernels


def test_no_file_a_folder_without_kernels_and_broken_files_are_user_errors(tmp_path: Path) -> None:
    (tmp_path / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x00" * 384 + kernel_files.HDF5)
    (tmp_path / "cut.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + b"\x0e\x00\x00\x00\xff")
    (tmp_path / "empty").mkdir()
    told = {None: "is empty", "empty": "without .npy", "new.mat": "not a readable .mat", "cut.mat": "not a readable .mat"}
    for name, said in told.items():
        with pytest.raises(UserError, match=said):
            _ = FreeForm(file=name and str(tmp_path / name)).kernels


def test_an_evaluation_tests_each_kernel_of_the_file(tmp_path: Path) -> None:
    for index, kernel in enumerate(shakes()):
        np.save(tmp_path / f"kernel_{index}.npy", kernel)
    protocol = Degradation(kernel=FreeForm(file=str(tmp_path), each=True), scale={"low": 1.0, "high": 3.0})
    cells = protocol.prior.grid(blur=1, scale=2, noise=1)
    assert cells.kernel is not None and len(cells) == 6
    torch.testing.assert_close(cells.kernel[::2].double(), FreeForm(file=str(tmp_path)).kernels, atol=1e-6, rtol=0)
    torch.testing.assert_close(cells.blur_std, rms_std(cells.kernel))
    assert cells.scale.tolist() == [1.5, 2.5] * 3


def test_a_share_of_mixed_kernels_is_round() -> None:
    std, kernels, blur_std = drawn(Mixed(isotropic=0.4), 1.0, 9.0, 25, count=2000)
    size = torch.stack(ellipticity(kernels)).norm(dim=0)
    torch.testing.assert_close(rms_std(kernels)[std < 2.5], blur_std[std < 2.5], atol=0.1, rtol=0)
    assert float((size < 1e-9).double().mean()) == pytest.approx(0.4, abs=0.03)
    second = (2 * blur_std**2 - std**2).sqrt()[size > 1e-9]
    assert float(second.min()) >= 1 - 1e-6 and float(second.max()) <= 3 + 1e-6
    assert float(second.mean()) == pytest.approx(2.0, abs=0.06)
    assert all(
        float(Mixed(isotropic=share).draw(np.random.default_rng(0), std, bounds=(1, 3), size=9, shift=0)[1].max()) <= 3.01
        for share in (0.0, 1.0)
    )


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 179.0])
def test_a_shape_is_two_numbers_without_a_jump(angle: float) -> None:
    kernel = rotated_gaussian(np.array([9.0]), np.array([2.0]), np.radians([angle]), 41)
    found = [float(value) for value in ellipticity(torch.from_numpy(kernel / kernel.sum()))]
    twice_as_far = np.radians(2 * angle)
    assert found == pytest.approx([7 / 11 * np.cos(twice_as_far), 7 / 11 * np.sin(twice_as_far)], abs=1e-3)
    covariance = np.cov(np.argwhere(kernel[0] > 0).T, aweights=kernel[0][kernel[0] > 0], ddof=0)  # y, x
    half = covariance.trace()
    assert found == pytest.approx([(covariance[1, 1] - covariance[0, 0]) / half, 2 * covariance[0, 1] / half], abs=1e-9)


def test_a_point_and_a_round_kernel_have_no_shape() -> None:
    point = torch.zeros(1, 5, 5)
    point[0, 2, 2] = 1
    for kernels in (point, isotropic(torch.tensor([1.3]), 15)):
        assert float(torch.stack(ellipticity(kernels)).abs().max()) < 1e-6


def test_the_shape_is_recorded_where_it_is_predicted() -> None:
    settings = {"kernel": Anisotropic(ordered=False, noise=0.25, stages=1), "kernel_size": 11}
    blur = {"low": 0.6, "high": 5.0, "uniform_in": "variance"}
    plain = Degradation(blur=blur, **settings)
    made = Degradation(blur=blur, **settings, predicted=[*NAMES, "ellipticity_0", "ellipticity_45"])
    theta, without = (protocol.prior.sample(np.random.default_rng(0), 50) for protocol in (made, plain))
    assert torch.equal(theta.kernel, without.kernel) and without.names == NAMES
    torch.testing.assert_close(torch.stack([theta.ellipticity_0, theta.ellipticity_45]), torch.stack(ellipticity(theta.kernel)))
    units = made.prior.normalise(theta)
    assert float(units[:, 3:].min()) > 0 and float(units[:, 3:].max()) < 1
    torch.testing.assert_close(made.prior.denormalise(units).ellipticity_45, theta.ellipticity_45)
    assert float(made.prior.mean().ellipticity_0) == pytest.approx(0, abs=0.03)
    assert made.prior.grid(blur=2, scale=1, noise=1).ellipticity_0.shape == (2,)
    made(torch.rand(2, 3, 30, 30))
    assert made.labels.names == (*NAMES, "ellipticity_0", "ellipticity_45")
    with pytest.raises(UserError, match="one of ellipticity_0 and ellipticity_45"):
        Degradation(blur=blur, **settings, predicted=["ellipticity_0"])
    with pytest.raises(UserError, match="has no ellipticity_0"):
        Degradation(predicted=["ellipticity_0", "ellipticity_45"])
