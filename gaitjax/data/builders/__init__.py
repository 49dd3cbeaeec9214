"""tensorflow-datasets builders of all data sets, made from their records in `gaitjax.data.sets`.

    python -m gaitjax.data.builders walkers --config.data.root=walkers --data_dir tfds
    python -m gaitjax.train --config gaitgraph2_walkers --config.data.name=tfds:walkers \\
        --config.data.root=tfds --workdir out

The first command reads the prepared folder and writes array_record files, the second trains
from them; TensorFlow itself is not needed. Records are the sequences of the folder in its
order, poses as they are in the files: joints are chosen and imputed when they are packed,
so that training gets the same arrays from either.
"""
