"""Rule tables: which torch key is which leaf, one function for each kind of network.

`opengait` names the checkpoints of OpenGait, `tteepe` those of the GaitGraph authors
(specification section 14).
"""

from ml_collections import ConfigDict

from converters.core import (
    LINEAR,
    TEMPORAL,
    Buffer,
    Path,
    Rule,
    batch_norm,
    kernel,
    pointwise,
)
from gaitjax import models
from gaitjax.models import resgcn
from gaitjax.skeleton import adjacency, joint_format

Rules = list[Rule | Buffer]


def rules(config: ConfigDict, source: str = "opengait") -> Rules:
    """Rules of the network of `config.model` for checkpoints of `source`.

    Raises:
      ValueError: unknown source, or a source that has no such network.
    """
    name = config.model.name
    network = models.build(config)
    tables = {
        ("opengait", "gaitgraph2"): lambda: resgcn_rules(network, "ResGCN.", "head", "backbone"),
        ("tteepe", "gaitgraph2"): lambda: tteepe_rules(network, "backbone."),
    }
    if (source, name) not in tables:
        raise ValueError(f"no rules for {name!r} from {source!r}; there are: {sorted(tables)}")
    return tables[source, name]()


def resgcn_rules(network, prefix: str, branch: str, main: str) -> Rules:
    """ResGCN under `prefix`, with the torch names of input branches and main stream."""
    branch_blocks, main_blocks = resgcn.plan(
        network.branch, network.main, network.reduction, network.streams
    )
    graph = adjacency(joint_format(network.joints))
    table: Rules = []
    for m in range(network.streams):
        key = f"{prefix}{branch}.{m}"
        table.append(Buffer(f"{key}.A", graph, compared=True))
        table += batch_norm(f"{key}.bn", ("resgcn", f"branch_{m}_bn"))
        for i, block in enumerate(branch_blocks):
            table += _block(block, f"{key}.layers.{i}", ("resgcn", f"branch_{m}_block_{i}"))
    for i, block in enumerate(main_blocks):
        table += _block(block, f"{prefix}{main}.{i}", ("resgcn", f"main_{i}"))
    return table + kernel(f"{prefix}fcn", ("resgcn", "fc"), LINEAR)


def _block(block: resgcn.Block, key: str, path: Path) -> Rules:
    spatial, temporal = (*path, "spatial"), (*path, "temporal")
    table: Rules = [Rule(f"{key}.edge", ("params", *path, "edge"))]
    table += kernel(f"{key}.scn.conv.gcn", (*spatial, "conv"), pointwise(2))
    table += batch_norm(f"{key}.scn.bn", (*spatial, "bn"))
    table += kernel(f"{key}.tcn.conv", (*temporal, "conv"), TEMPORAL)
    table += batch_norm(f"{key}.tcn.bn", (*temporal, "bn"))
    projected = {"scn": block.project, "tcn": block.stride > 1}
    for torch, part in (("scn", spatial), ("tcn", temporal)):
        if projected[torch]:
            table += kernel(f"{key}.{torch}.residual.0", (*part, "residual"), pointwise(2))
            table += batch_norm(f"{key}.{torch}.residual.1", (*part, "residual_bn"))
        if block.inner:
            for end in ("down", "up"):
                table += kernel(f"{key}.{torch}.conv_{end}", (*part, end), pointwise(2))
                table += batch_norm(f"{key}.{torch}.bn_{end}", (*part, f"{end}_bn"))
    return table


def tteepe_rules(network, prefix: str) -> Rules:
    """The authors' ResGCN: other names, and the adjacency once more at the top."""
    graph = adjacency(joint_format(network.joints))
    return [Buffer(f"{prefix}A", graph, compared=True)] + resgcn_rules(
        network, prefix, "input_branches", "main_stream"
    )
