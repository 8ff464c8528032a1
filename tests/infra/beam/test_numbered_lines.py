"""Lines read in blocks are those of the whole file, with the numbers and times that a replay gives them."""

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from tests.support import beam

beam.required()

from infra.beam import text_blocks
from infra.beam.numbered_lines import numbered, summarized
from infra.beam.text_blocks import Block, lines_of
from infra.replay.history_file import read
from tests.infra.beam.histories import history
from tests.support.replays import write

pieces = st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"bcd", b" ", b"\x00", "\u2028".encode()]), max_size=40)


@given(pieces.map(b"".join), st.integers(1, 9))
def test_each_line_is_in_one_block(content, size):
    with TemporaryDirectory() as folder:
        file = Path(folder) / "lines"
        file.write_bytes(content)
        blocks = [Block(str(file), at, min(at + size, len(content))) for at in range(0, len(content), size)]
        read_in_blocks = [line for block in blocks for line in lines_of(block)]
    assert read_in_blocks == BytesIO(content).readlines()


def test_every_block_numbers_its_lines_and_knows_the_time_before_it(tmp_path, monkeypatch):
    monkeypatch.setattr(text_blocks, "BYTES", 200)
    file = write(tmp_path / "events.jsonl", history())
    blocks = text_blocks.blocks_of(str(file), file.stat().st_size)
    summaries = [summarized(block) for block in blocks]
    told = [each for block in blocks for each in numbered(block, reversed(summaries))]
    assert len(blocks) > 20
    assert [(key, line[0]) for key, line in told] == [
        (line.user_id.encode(errors="surrogatepass"), line.number) for line in read(file)
    ]
    assert [line[1] for _, line in told] == [round(line.delivered_at.timestamp() * 1e6) for line in read(file)]
    assert max(each.latest for each in summaries) == told[-1][1][1]


def test_the_texts_are_those_of_the_file(tmp_path):
    file = write(tmp_path / "events.jsonl", history())
    (block,) = text_blocks.blocks_of(str(file), file.stat().st_size)
    texts = [line[2] for _, line in numbered(block, [summarized(block)])]
    assert texts == [line.strip() for line in file.read_bytes().split(b"\n") if line.strip()]
