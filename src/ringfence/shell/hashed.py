"""Texts by their hashes: the pass works on hashes, people on names."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ringfence.ingest._hash import hash_words


class Hashed:
    """Texts that were seen, by hash; bounded, for names that are made up must not fill the memory.

    Args:
        limit: the most texts that are kept, the first ones.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._texts: dict[int, str] = {}

    def __contains__(self, key: int) -> bool:
        return key in self._texts

    def learn(self, column: pa.Array) -> None:
        """Keep the texts of a column (text, or a dictionary of text)."""
        if column.null_count == len(column) or len(self._texts) >= self._limit:
            return
        texts = column.dictionary if isinstance(column, pa.DictionaryArray) else pc.unique(column)
        texts = texts.drop_null()
        keys = hash_words(texts).tolist()
        new = [place for place, key in enumerate(keys) if key and key not in self._texts]
        for place in new[: self._limit - len(self._texts)]:
            self._texts[keys[place]] = texts[place].as_py()

    def text(self, key: int) -> str:
        """A text; where it is not kept, its hash."""
        return self._texts.get(key) or f"~{key & 0xFFFF_FFFF_FFFF_FFFF:016x}"

    def items(self) -> list[tuple[int, str]]:
        """All of them, in the order in which they were seen."""
        return list(self._texts.items())

    def restore(self, items: list[Any]) -> None:
        """Take what `items` gave."""
        self._texts = dict(items)
