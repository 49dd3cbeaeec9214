"""The program that watches a long training tells growth from noise, and sees a real process."""

import subprocess
import sys

import pytest

from tests.helpers.watching import Look, watch
from tests.programs import long_run


def looks(grows: float) -> list[tuple[int, Look]]:
    def memory(step: int) -> int:
        return 10**9 + min(step, 500) * 10**5 + int(grows * step) + 1000 * (step % 7)

    return [(step, Look(step, memory(step), 0, 9, 3)) for step in range(0, 2001, 10)]


@pytest.mark.parametrize("grows", [0.0, 512.0])
def test_growth_is_that_after_the_warm_up(grows):
    assert long_run.growth(looks(grows)) == pytest.approx(grows, abs=5)
    assert len(list(long_run.table(looks(grows)))) == 1 + long_run.LINES


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_is_seen():
    code = "import time; x = bytearray(50_000_000); f = open('/dev/null'); time.sleep(1.5)"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        seen = list(watch(process, 0.2))
    assert max(look.memory for look in seen) > 50_000_000
    assert max(look.anonymous for look in seen) > 50_000_000
    assert max(look.descriptors for look in seen) >= 4 and seen[0].threads == 1
