"""Archives for the tests, with members of any kind."""

import io
import tarfile
import zipfile
from pathlib import Path


def pack(path: Path, members) -> Path:
    """An archive, of the kind that its name says, of (name or ZipInfo or TarInfo, bytes)."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members:
                archive.writestr(name, data)
        return path
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if str(info.name).endswith("/"):
                info.type = tarfile.DIRTYPE
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data))
    return path
