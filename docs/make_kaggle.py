"""Writes docs/kaggle.ipynb from docs/colab.ipynb: python docs/make_kaggle.py

The same cells but for where things lie: Kaggle keeps /kaggle/working with a saved version of the
notebook, and data sets are attached under /kaggle/input.
"""

import json
from pathlib import Path

DOCS = Path(__file__).parent
COLAB, KAGGLE = DOCS / "colab.ipynb", DOCS / "kaggle.ipynb"

# Text of the Colab notebook -> what stands in its place; each is there exactly once.
INSTEAD = {
    "(*Runtime → Change runtime type*)": "(*Session options → Accelerator*; turn *Internet* on)",
    """\
After a disconnect run the cells
again: what was finished is on your drive, and training goes on where it stopped.""": """\
Save a version of the notebook to
keep what it made; attach that output to a new session, and training goes on where it stopped.""",
    """\
# Checkpoints, results and compiled programs, on your drive if it is mounted.
FOLDER = "/content/drive/MyDrive/gaitjax\"""": """\
# Checkpoints, results and compiled programs; Kaggle keeps /kaggle/working.
FOLDER = "/kaggle/working/gaitjax\"""",
    "and your prepared copy of its data set.": """and your prepared copy of its data set:
# attach it, then it lies at /kaggle/input/NAME.""",
    "Colab's own JAX stays": "Kaggle's own JAX stays",
    "choose Runtime -> Restart session": "choose Run -> Restart session",
    """\
# The drive, in Colab. Without it everything works, but a disconnect loses it.
if FOLDER.startswith("/content/drive/") and not os.path.isdir("/content/drive/MyDrive"):
    try:
        from google.colab import drive

        drive.mount("/content/drive")
    except Exception as error:
        FOLDER = os.path.join(os.getcwd(), "gaitjax_notebook")
        print(f"no drive here ({error!r:.60}): a disconnect loses what is in {FOLDER}")
""": """\
if FOLDER.startswith("/kaggle/") and not os.path.isdir("/kaggle/working"):
    FOLDER = os.path.join(os.getcwd(), "gaitjax_notebook")
""",
}


def notebook() -> str:
    """The Kaggle notebook, as its file holds it."""
    cells = json.loads(COLAB.read_text(encoding="utf-8"))
    del cells["metadata"]["colab"]
    for cell in cells["cells"]:
        cell["source"] = "".join(cell["source"]).replace('  # @param {type:"string"}', "")
        cell["source"] = cell["source"].replace('  # @param {type:"integer"}', "")
    for old, new in INSTEAD.items():
        places = [cell for cell in cells["cells"] if old in cell["source"]]
        if len(places) != 1:
            raise ValueError(f"{COLAB}: {len(places)} cells with {old[:60]!r}; expected one")
        places[0]["source"] = places[0]["source"].replace(old, new)
    return json.dumps(cells, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    KAGGLE.write_text(notebook(), encoding="utf-8")
