"""Copies of a GGUF file with other metadata, for models that say something else of themselves."""

import pathlib

import gguf
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata

MINI = pathlib.Path(__file__).resolve().parents[2] / "models" / "quern-mini.gguf"


def edited(path, integers=None, flags=None, source=MINI):
    """Writes `source` to `path` with these keys added or changed."""
    reader = gguf.GGUFReader(str(source))
    writer = gguf.GGUFWriter(str(path), reader.fields["general.architecture"].contents())
    new = {key: MetadataDetails(gguf.GGUFValueType.UINT32, value) for key, value in (integers or {}).items()}
    new |= {key: MetadataDetails(gguf.GGUFValueType.BOOL, value) for key, value in (flags or {}).items()}
    copy_with_new_metadata(reader, writer, new, [])
    return str(path)
