"""Starting costs little: what is imported, and what a compilation cache saves."""

import subprocess
import sys

import pytest

# Behind extras, or slow to import and needed late.
HEAVY = ("torch", "tensorflow", "tensorflow_datasets", "cv2", "sklearn", "matplotlib", "PIL")


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", ["gaitjax", "gaitjax.train"])
def test_import_is_quick_and_light(module):
    """In processor time, so that a busy machine does not count."""
    code = f"""
import sys, time
start = time.process_time()
import {module}
print(time.process_time() - start, *sorted(set(sys.modules) & set({HEAVY})))
"""
    seconds, *heavy = python(code).split()
    assert float(seconds) < 2 and heavy == []
