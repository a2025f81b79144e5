"""What csrgan calls the files and folders that it leaves. Each name stands here once."""

# A run, and an evaluation.
CONFIG = "config.yaml"
OVERRIDES = "overrides.json"  # the words it was started with
METRICS = "metrics.csv"  # what it logged, a row at a time
RESULTS = "results.csv"  # a row a picture and degradation of the last evaluation
SUMMARY = "summary.json"  # means over these rows, and costs
LOCK = ".lock"  # whoever holds it has the folder to himself
CHECKPOINTS = "checkpoints"
LAST, PREVIOUS, BEST = "last.ckpt", "previous.ckpt", "best.ckpt"  # the previous is the last but one
DAMAGED = "damaged.ckpt"  # a last one that was laid aside
PANELS = "panels"  # S, L and H in one drawing, a file a picture; also the gallery of the loggers
PICTURES = "pictures"  # the same as files of their own pixels, a folder a picture
RESTORED, LOW, SHARP = "S.png", "L.png", "H.png"  # in such a folder
REPLAY = "replay"  # batches from which nothing could be learned

# A job of a sweep, beside what its run leaves.
JOB = "job.json"  # what became of it
OUTPUT = "output.txt"  # what it wrote; locked by whoever runs it
REFUSED = "refused.txt"  # why it was not even started; the process that started the sweep reads and removes it
SUBMITIT = ".submitit"  # of that launcher; jobs that it started at once wait here for their turn

# A report, in the folder of what it reports on.
PAGE, TABLES, TEXT = "report.html", "report.csv", "report.md"
ROWS = "rows.csv"  # of all jobs
FIGURES = "figures"

# A folder of restored or degraded pictures.
RECORD = "record.jsonl"  # what csrgan wrote there, in the hidden folder
PARAMETERS = "parameters.csv"  # a row a picture
SHEET = "sheet.png"  # the first pictures at a glance
KERNELS = "kernels.npy"  # where they are no isotropic Gaussians
