"""Blur kernels in files: NumPy arrays (.npy) and MATLAB files (.mat), read without running anything that they hold."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from csrgan.errors import UserError, require

SUFFIXES = (".npy", ".mat")
HDF5 = b"\x89HDF\r\n\x1a\n"  # the signature
Kernels = NDArray[np.float64]
Variables = dict[str, list[NDArray[np.generic]]]  # arrays of each variable; of a cell array, those of its cells


def read(path: str | None) -> Kernels:
    """Return the kernels of a file, or of all in a folder by their names: (count, k, k), each of sum 1, smaller
    ones with zeros around them. Raises UserError for what holds none."""
    if not path:
        raise UserError("degradation.kernel.file is empty: it takes a .npy or .mat file of kernels, or a folder of such files.")
    place = Path(path)
    files = sorted(each for each in place.iterdir() if each.suffix in SUFFIXES) if place.is_dir() else [place]
    require(bool(files), f"degradation.kernel.file={path} is a folder without .npy and .mat files.")
    kernels = [kernel for file in files for kernel in _of_file(file, f"degradation.kernel.file={file}")]
    most = max(len(kernel) for kernel in kernels)
    return np.stack([np.pad(kernel / kernel.sum(), (most - len(kernel)) // 2) for kernel in kernels])


def _of_file(file: Path, setting: str) -> Iterator[Kernels]:
    require(file.is_file(), f"{setting} is not a file.")
    arrays = list(_of_matlab(file, setting)) if file.suffix == ".mat" else [_of_numpy(file, setting)]
    for array in arrays:
        shape = array.shape
        square = len(shape) in (2, 3) and 0 not in shape and shape[-1] == shape[-2] and shape[-1] % 2 == 1
        require(square, f"{setting} holds an array of shape {shape}; (count, k, k) or (k, k) with an odd k is needed.")
        require(array.dtype.kind in "fiub", f"{setting} holds no numbers.")
        for kernel in np.ascontiguousarray(array, np.float64).reshape(-1, *shape[-2:]):
            good = np.isfinite(kernel).all() and (kernel >= 0).all() and kernel.sum() > 0
            require(bool(good), f"{setting} holds a tap that is negative or not finite, or a kernel of zeros.")
            yield kernel


def _of_numpy(file: Path, setting: str) -> NDArray[np.generic]:
    try:
        return np.asarray(np.load(file, allow_pickle=False))
    except Exception as reason:
        raise UserError(f"{setting} is not a readable .npy array ({type(reason).__name__}).") from reason


def _of_matlab(file: Path, setting: str) -> Iterator[NDArray[np.generic]]:
    """Yield the arrays of the variable `kernels`, or of the only one: a cell array of kernels, or one array, in MATLAB's order
    (k, k, count) too."""
    try:
        variables = _of_hdf5(file, setting) if _is_hdf5(file) else _of_old_matlab(file)
    except UserError:
        raise
    except Exception as reason:
        raise UserError(f"{setting} is not a readable .mat file ({type(reason).__name__}).") from reason
    name = "kernels" if "kernels" in variables else next(iter(variables)) if len(variables) == 1 else ""
    require(bool(name), f"{setting} has no variable kernels; it has {', '.join(variables) or 'none'}.")
    for cell in variables[name]:
        last = cell.ndim == 3 and cell.shape[0] == cell.shape[1] and cell.shape[1] != cell.shape[2]
        yield np.moveaxis(cell, -1, 0) if last else cell


def _of_old_matlab(file: Path) -> Variables:
    content = {name: np.asarray(value) for name, value in loadmat(file).items() if not name.startswith("__")}
    return {name: [*map(np.asarray, array.ravel())] if array.dtype == object else [array] for name, array in content.items()}


def _is_hdf5(file: Path) -> bool:
    """Return whether a .mat file is one of MATLAB 7.3, which is HDF5 behind a header of 512 bytes."""
    with file.open("rb") as held:
        held.seek(512)
        return held.read(len(HDF5)) == HDF5


def _of_hdf5(file: Path, setting: str) -> Variables:
    """Return the variables of a file of MATLAB 7.3, which stores axes in reverse and the cells of an array by reference."""
    require(find_spec("h5py") is not None, f"{setting} is of MATLAB 7.3, and needs h5py: pip install h5py.")
    h5py = import_module("h5py")
    result: Variables = {}
    with h5py.File(file, "r") as held:
        for name in (name for name in held if not name.startswith("#")):
            inside = isinstance(held.get(name, getlink=True), h5py.HardLink)
            require(inside, f"{setting}: {name} is a link, and csrgan reads nothing outside the file.")
            value = held[name]
            if isinstance(value, h5py.Dataset):
                cells = [held[reference] for reference in value[()].ravel()] if value.dtype == object else [value]
                require(not any(cell.external or cell.is_virtual for cell in cells), f"{setting}: {name} lies in another file.")
                result[name] = [np.asarray(cell[()]).T for cell in cells]
    return result
