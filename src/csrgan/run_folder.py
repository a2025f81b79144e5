"""Names of the files and folders that csrgan writes. Each is defined here once."""

# The folder of a run or an evaluation.
CONFIG = "config.yaml"
OVERRIDES = "overrides.json"  # the overrides it was started with
METRICS = "metrics.csv"  # logged values, one row per logged step
RESULTS = "results.csv"  # the last evaluation: one row per picture and degradation
SUMMARY = "summary.json"  # means over these rows, and costs
LOCK = ".lock"  # the process that holds it has exclusive use of the folder
CHECKPOINTS = "checkpoints"
LAST, PREVIOUS, BEST = "last.ckpt", "previous.ckpt", "best.ckpt"  # previous: the last but one
DAMAGED = "damaged.ckpt"  # a last checkpoint that could not be read, set aside
PANELS = "panels"  # S, L and H side by side, one file per picture; also the gallery of the loggers
PICTURES = "pictures"  # S, L and H as separate files at full size, one folder per picture
RESTORED, LOW, SHARP = "S.png", "L.png", "H.png"  # in such a folder
REPLAY = "replay"  # batches whose loss or gradient was not finite

# A published network.
NETWORK = "network.safetensors"  # the restoring network alone
NETWORK_BEFORE = "network.ckpt"  # its name in version 0.1

# A job of a sweep, beside the files of its run.
JOB = "job.json"  # its outcome
OUTPUT = "output.txt"  # its terminal output; locked by the process that runs it
DUE = "sweep.json"  # in a sweep's folder: the jobs that its last command asked for
SWEEP = "multirun.yaml"  # in a sweep's folder: its configuration, written by Hydra
REFUSED = "refused.txt"  # why it was not started; the process that started the sweep reads and removes it
SUBMITIT = ".submitit"  # folder of the submitit launcher; jobs that it started together wait here for their turn

# A report, in the folder that it reports on.
PAGE, TABLES, TEXT = "report.html", "report.csv", "report.md"
ROWS = "rows.csv"  # the result rows of all jobs
NUMBERS = "numbers.csv"  # every mean and difference with its interval, one value a cell
LATEX = "table.tex"  # the table for a paper
FIGURES = "figures"

# A folder of restored or degraded pictures.
RECORD = "record.jsonl"  # what csrgan wrote there; lies in the hidden folder
PARAMETERS = "parameters.csv"  # one row per picture
SHEET = "sheet.png"  # the first pictures in one overview
KERNELS = "kernels.npy"  # written if the kernels are not isotropic Gaussians

# Folders of pictures side by side.
COMPARED_PAGE = "compare.html"
COMPARED_SCORES = "compare.csv"  # one row per picture and folder
