"""Tiles have one path each, and each path one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.core.errors import InvalidProof
from consent_server.ledger.rules import Tile, parse_tile_path

REFUSED_PATHS = """
    tile/0/ tile/0/0 tile/0/0000 tile/0/x000/001 tile/0/001/002 tile/0/x001 tile/0/X001/002 tile/00/001
    tile/64/001 tile/-1/001 tile/0/-01 tile/0/001.p/0 tile/0/001.p/01 tile/0/001.p/256 tile/0/001.p/
    tile/0/001.p /tile/0/001 tile/0/٠٠١ tile/entries/001
"""


class TestTilePath:
    @pytest.mark.parametrize(
        ("tile", "path"),
        [
            (Tile(0, 0, 256), "tile/0/000"),
            (Tile(1, 67, 17), "tile/1/067.p/17"),
            (Tile(63, 1234067, 255), "tile/63/x001/x234/067.p/255"),
            (Tile(2, 1000, 256), "tile/2/x001/000"),
        ],
    )
    def test_examples(self, tile: Tile, path: str) -> None:
        assert tile.path == path
        assert parse_tile_path(path) == tile

    @given(st.builds(Tile, st.integers(0, 63), st.integers(0, 10**18 - 1), st.integers(1, 256)))
    def test_round_trip(self, tile: Tile) -> None:
        assert parse_tile_path(tile.path) == tile

    @given(st.from_regex(r"tile/[0-9]{1,3}/(x[0-9]{3}/){0,2}[0-9]{2,4}(\.p/[0-9]{1,4})?", fullmatch=True))
    def test_one_spelling_only(self, path: str) -> None:
        try:
            tile = parse_tile_path(path)
        except InvalidProof:
            return
        assert tile.path == path

    @pytest.mark.parametrize("path", ["", "tile/0/001\n", "tile/0/" + "x001/" * 6 + "001", *REFUSED_PATHS.split()])
    def test_refused(self, path: str) -> None:
        with pytest.raises(InvalidProof, match="not the path of a tile"):
            parse_tile_path(path)
