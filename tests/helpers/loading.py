"""A split as `config.data` describes it, packed or listed."""

from ml_collections import ConfigDict

from gaitjax.data import listing, packing, partitions


def packed(data: ConfigDict, side: str, joints: str = "") -> packing.Packed:
    """The poses of a split, in joint format `joints`."""
    return packing.load(
        partitions.open_split(data, side),
        data.joints,
        joints,
        impute=data.impute_test if side == "test" and data.impute_test else data.impute,
        modality=data.modality,
        cache_dir=data.cache_dir,
    )


def listed(data: ConfigDict, side: str) -> listing.Listing:
    """Where the sequences of a split lie."""
    return listing.scan(partitions.open_split(data, side))
