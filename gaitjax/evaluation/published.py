"""Our number beside a published one, and how far random test windows spread."""


def compare(record: dict, published: float) -> dict:
    """A published number beside ours: the mean over random windows where there are some.

    Returns:
      {"score", "published", "ours", "spread", "within"}: spread is two standard deviations
      of the random windows, at least the rounding of the published number; within says
      whether the difference is no larger.

    >>> compare({"headline": {"Rank-1": 62.13}}, 62.10)["within"]
    True
    """
    name, ours = next(iter(record["headline"].items()))
    spread = 0.0
    if name in record.get("random_windows", {}):
        ours = record["random_windows"][name]["mean"]
        spread = 2 * record["random_windows"][name]["std"]
    spread = max(spread, 0.05)
    return {
        "score": name,
        "published": published,
        "ours": ours,
        "spread": spread,
        "within": abs(ours - published) <= spread,
    }


def format_comparison(c: dict) -> str:
    """What `compare` found, as a line."""
    verdict = "within the spread" if c["within"] else "NOT within the spread"
    return (
        f"published: {c['score']} {c['published']:.2f}, ours {c['ours']:.2f}, "
        f"spread {c['spread']:.2f}: {verdict}"
    )


def format_spread(spread: dict) -> str:
    """What `Trial.random_windows` found, a line for each score."""
    return "\n".join(
        f"random windows: {name} {v['mean']:.2f} +- {v['std']:.2f} "
        f"({min(v['runs']):.2f} to {max(v['runs']):.2f}, {len(v['runs'])} seeds)"
        for name, v in spread.items()
    )
