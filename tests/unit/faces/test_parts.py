from __future__ import annotations

import pytest
from msgspec.json import Decoder

from qwenport.core.content import ImagePart, Part, TextPart, VideoPart
from qwenport.core.errors import ParameterInvalid
from qwenport.faces.parts import WirePart, read_parts

DECODER = Decoder(list[WirePart])
URL = "https://example.com/cat.png"
SEVERAL = "The item of content should be a message of a certain modal. - 'content[0]'"


def read(*parts: bytes) -> str | tuple[Part, ...]:
    return read_parts(DECODER.decode(b"[" + b",".join(parts) + b"]"), "content")


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            (
                b'{"type":"image_url","image_url":{"url":"https://example.com/cat.png","detail":"high"},'
                b'"min_pixels":3136,"max_pixels":100352}'
            ),
            ImagePart(url=URL, min_pixels=3136, max_pixels=100352),
        ),
        (b'{"type":"image_url","image_url":"https://example.com/cat.png"}', ImagePart(url=URL)),
        (b'{"image_url":{"url":"https://example.com/cat.png"}}', ImagePart(url=URL)),
        (
            b'{"image":"https://example.com/cat.png","min_pixels":4,"max_pixels":5,"enable_rotate":true}',
            ImagePart(url=URL, min_pixels=4, max_pixels=5, rotates=True),
        ),
        (b'{"type":"image","image":"https://example.com/cat.png","text":null}', ImagePart(url=URL)),
        (b'{"type":"video_url","video_url":{"url":"v"}}', VideoPart(urls=("v",), is_frames=False)),
        (b'{"video_url":"v","fps":2}', VideoPart(urls=("v",), is_frames=False, frames_per_second=2.0)),
        (b'{"type":"video","video":["a","b"]}', VideoPart(urls=("a", "b"), is_frames=True)),
        (
            b'{"video":"v","fps":0.5,"max_frames":9}',
            VideoPart(urls=("v",), is_frames=False, frames_per_second=0.5, max_frames=9),
        ),
        (b'{"video":["a"]}', VideoPart(urls=("a",), is_frames=True)),
        (b'{"type":"file","file":{"file_id":"file-fe-1"}}', ImagePart(url="fileid://file-fe-1")),
        (
            b'{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"},"max_pixels":9}',
            ImagePart(url="data:application/pdf;base64,JVBE", max_pixels=9),
        ),
        (b'{"type":"image_url","image_url":{"url":"fileid://file-fe-1"}}', ImagePart(url="fileid://file-fe-1")),
    ],
)
def test_images_files_and_videos_are_read_in_every_spelling(part: bytes, expected: Part) -> None:
    assert read(part) == (expected,)


def test_the_order_of_parts_is_kept_and_empty_texts_beside_others_are_left_out() -> None:
    assert read(b'{"text":"a"}', b'{"image":"x"}', b'{"text":""}', b'{"type":"text","text":"b"}') == (
        TextPart(text="a"),
        ImagePart(url="x"),
        TextPart(text="b"),
    )


def test_nothing_but_text_is_one_string() -> None:
    assert read(b'{"text":"a"}', b'{"type":"text","text":"b","cache_control":{"type":"ephemeral"}}') == "ab"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (b"{}", "The text field is a required field. - 'content[0]'"),
        (b'{"type":"text"}', "The text field is a required field. - 'content[0]'"),
        (b'{"type":"image_url"}', "The image_url field is a required field. - 'content[0]'"),
        (b'{"type":"image_url","image_url":{}}', "The image_url field is a required field. - 'content[0]'"),
        (b'{"image":""}', "The image field is a required field. - 'content[0]'"),
        (b'{"type":"file"}', "The file field is a required field. - 'content[0]'"),
        (b'{"file":{}}', "The file_id or file_data field is a required field. - 'content[0].file'"),
        (b'{"file":{"file_id":"../1"}}', "Invalid file [id:../1]. - 'content[0].file.file_id'"),
        (
            b'{"file":{"file_data":"JVBE","filename":"a.pdf"}}',
            (
                "The file_data field must be a data: URL of an image or a PDF, such as data:application/pdf;base64,…"
                " - 'content[0].file.file_data'"
            ),
        ),
        (b'{"file":{"file_id":"a"},"text":"b"}', SEVERAL),
        (b'{"video":[]}', "The video field is a required field. - 'content[0]'"),
        (b'{"video":["a",""]}', "The video field is a required field. - 'content[0]'"),
        (b'{"image":"x","text":"What is this?"}', SEVERAL),
        (b'{"type":"text","text":"What is this?","image_url":{}}', SEVERAL),
        (b'{"type":"text","image":"x"}', SEVERAL),
        (b'{"image":"x","min_pixels":0}', "'min_pixels' must be greater than 0 - 'content[0]'"),
        (b'{"image":"x","max_pixels":-1}', "'max_pixels' must be greater than 0 - 'content[0]'"),
        (b'{"video":"x","fps":0}', "'fps' must be greater than 0 - 'content[0]'"),
        (b'{"video":"x","max_frames":0}', "'max_frames' must be greater than 0 - 'content[0]'"),
    ],
)
def test_a_part_is_one_thing_and_whole(part: bytes, words: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read(part)

    assert (caught.value.parameter, caught.value.message) == ("messages", words)


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (b'{"type":"input_audio"}', "input_audio"),
        (b'{"type":"input_audio","input_audio":{"data":"x","format":"wav"}}', "input_audio"),
        (b'{"type":"%b"}' % (b"x" * 100), "x" * 64),
        (b'{"audio":"a"}', "audio"),
        (b'{"audio":"a","text":"Listen"}', "audio"),
        (b'{"type":"text","text":"Listen","input_audio":{}}', "input_audio"),
    ],
)
def test_parts_that_nothing_here_can_hear_or_read_are_refused_by_name(part: bytes, kind: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read(part)

    assert caught.value.message == (
        f"Unexpected item type in content: '{kind}' is not served, only text, images, files and video are"
        " - 'content[0]'"
    )


def test_a_null_beside_a_text_is_no_other_kind() -> None:
    assert read(b'{"text":"Hi","image":null,"audio":null}') == "Hi"
