"""Services that are handed on: the official client, a whole server, and a stand-in of Model Studio behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import dashscope
import pytest
from anyio.from_thread import start_blocking_portal
from dashscope.aigc.video_synthesis import VideoSynthesis
from dashscope.audio.asr import Transcription
from dashscope.audio.http_tts import HttpSpeechSynthesizer
from dashscope.audio.qwen_tts import SpeechSynthesizer as QwenSpeech
from dashscope.audio.tts import SpeechSynthesizer as RealtimeSpeech
from dashscope.audio.tts_v2 import SpeechSynthesizer as DuplexSpeech
from dashscope.client.base_api import BaseAsyncApi

from qwenport.testing.native_upstream import KEY as UPSTREAM_KEY
from qwenport.testing.native_upstream import NativeUpstream, Said, task
from qwenport.testing.operated import books, calls
from qwenport.testing.raw_server import listening
from qwenport.testing.upstream_tables import configure, route, table

if TYPE_CHECKING:
    from tests.conftest import Server

Eventually = Callable[..., None]
Row = tuple[str, str, str, str, str | None]

MODELS = {
    "wanx2.1-t2i-turbo": ("aigc/text2image/image-synthesis", "image_count", "0.14", 4),
    "wanx2.1-t2v-turbo": ("aigc/video-generation/video-synthesis", "video_duration", "0.24", 10),
    "paraformer-v2": ("audio/asr/transcription", "duration", "0.00008", 43_200),
    "cosyvoice-v3-flash": ("audio/tts/SpeechSynthesizer", "characters", "0.0001", 20_000),
    "qwen-tts": ("aigc/multimodal-generation/generation", "characters", "0.0001", 600),
    "qwen-asr": ("aigc/multimodal-generation/generation", "duration", "0.0001", 600),
    "wanx-nowhere": ("aigc/text2image/image-synthesis", "image_count", "0.14", 4),
}
"""Name to service, what it reports, what one of it costs, and how many of it one call can use."""
UNROUTED = "wanx-nowhere"
MASKED = "qwen-asr"
"""The model whose upstream gets no personal data."""
FORBIDDEN = "the forbidden fruit"
BLOCKED = (400, "DataInspectionFailed", "Output data may contain inappropriate content.")
UNPURCHASED = "Access to model denied. Please make sure you are eligible for using the model."
CARD = """
name = "{name}"
description = "Handed on in a test."
family = "test"
released = 2025-01-01
context_tokens = 8192
max_input_tokens = 8192
max_output_tokens = 4096

[capabilities]
abilities = ["native"]
native_services = ["{service}"]

[[prices]]
region = "beijing"
currency = "CNY"
input = "0"
output = "0"
per_tokens = 1000
since = 2025-01-01
source = "made up for a test"
units = {{ {unit} = "{price}" }}
most_units = {{ {unit} = {most} }}
"""


class Studio:
    """A server, and the stand-in that it hands calls on to."""

    def __init__(self, server: Server, upstream: NativeUpstream, eventually: Eventually) -> None:
        self.server = server
        self.upstream = upstream
        self._eventually = eventually
        self._known: set[str] = set()

    def makes_task(self, task_id: str, usage: dict[str, Any], **output: Any) -> None:
        """Have the next call make a task, which waits, runs and succeeds as it is looked at."""
        self.upstream.said = [Said(body=task(task_id, "PENDING"))]
        self.upstream.stages[task_id] = [task(task_id, "PENDING"), task(task_id, "RUNNING")]
        self.upstream.tasks[task_id] = task(task_id, "SUCCEEDED", usage, **output)

    def answers(self, *pieces: dict[str, Any]) -> None:
        """Have the next call answered at once: as a stream where there is more than one piece."""
        self.upstream.said = [Said(body=pieces[0]) if len(pieces) == 1 else Said(pieces=pieces)]

    def new_rows(self) -> list[Row]:
        """Return what has come into the books since it was last asked for, oldest first."""
        self._eventually(lambda: books(self.server) == (True, 0, 0), "the books are complete")
        rows = [row for row in reversed(calls(self.server)) if row["request_id"] not in self._known]
        self._known |= {row["request_id"] for row in rows}
        return [(row["operation"], row["outcome"], row["served_by"], row["items"], row["cost"]) for row in rows]

    def last_path(self) -> str:
        """Return the address that the upstream was asked at last."""
        return self.upstream.made[-1].path


@pytest.fixture(scope="module")
def running(
    server_class: type[Server], tmp_path_factory: pytest.TempPathFactory, eventually: Eventually
) -> Iterator[Studio]:
    upstream = NativeUpstream()
    folder = tmp_path_factory.mktemp("studio")
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(listening(upstream.serve)) as port,
    ):
        server = server_class(folder, folder / "no-models", {"STUDIO_KEY": UPSTREAM_KEY})
        place = {
            "kind": "alibaba",
            "region": "beijing",
            "base_url": f"http://127.0.0.1:{port}/compatible-mode/v1",
            "api_key_env": "STUDIO_KEY",
        }
        configure(
            server.data_dir,
            table("[check]", words_file="words.txt"),
            table("[[upstreams]]", name="studio", **place),
            table("[[upstreams]]", name="masked", mask=True, **place),
            route(MASKED, f"masked/{MASKED}"),
            *(route(name, f"studio/{name}") for name in MODELS if name not in {UNROUTED, MASKED}),
        )
        (server.data_dir / "words.txt").write_text(f"{FORBIDDEN}\n")
        (server.data_dir / "catalog").mkdir()
        for name, (service, unit, price, most) in MODELS.items():
            card = CARD.format(name=name, service=service, unit=unit, price=price, most=most)
            (server.data_dir / "catalog" / f"{name}.toml").write_text(card)
        try:
            server.start(until="/healthz")
            yield Studio(server, upstream, eventually)
            assert server.stop() == 0, server.output
        finally:
            server.close()


@pytest.fixture
def studio(running: Studio, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """Point the client at the server, as its users do."""
    url = running.server.url
    monkeypatch.setattr(dashscope, "base_http_api_url", f"{url}/api/v1")
    monkeypatch.setattr(dashscope, "base_websocket_api_url", f"{url.replace('http', 'ws')}/api-ws/v1/inference")
    monkeypatch.setattr(dashscope, "api_key", running.server.key)
    running.new_rows()
    return running


def test_images_are_made_by_a_task_that_is_waited_for_and_billed_once(studio: Studio) -> None:
    pictures = [{"url": "https://pictures/1"}, {"url": "https://pictures/2"}]
    studio.makes_task("t-images", {"image_count": 2}, results=pictures)

    made = dashscope.ImageSynthesis.call(model="wanx2.1-t2i-turbo", prompt="a cat", n=2)
    again = dashscope.ImageSynthesis.fetch(made)

    assert (made.status_code, made.output.task_status) == (200, "SUCCEEDED")
    assert [each.url for each in made.output.results] == ["https://pictures/1", "https://pictures/2"]
    assert again.output.results == made.output.results
    assert studio.last_path() == "/api/v1/services/aigc/text2image/image-synthesis"
    assert studio.new_rows() == [
        ("native-service", "finished", "studio/wanx2.1-t2i-turbo", "", "0.00"),
        ("tasks.result", "finished", "studio/wanx2.1-t2i-turbo", "image_count 2", "0.28"),
    ]


def test_a_video_is_made_by_a_task_that_is_waited_for_and_billed_once(studio: Studio) -> None:
    usage = {"video_count": 1, "video_duration": 5, "video_ratio": "1280*720"}
    studio.makes_task("t-video", usage, video_url="https://films/1")

    made = VideoSynthesis.async_call(model="wanx2.1-t2v-turbo", prompt="a cat runs", duration=5)
    running = VideoSynthesis.fetch(made)
    ended = VideoSynthesis.wait(made)

    assert (made.output.task_id, made.output.task_status) == ("t-video", "PENDING")
    assert running.output.task_status in {"PENDING", "RUNNING"}
    assert (ended.output.task_status, ended.output.video_url) == ("SUCCEEDED", "https://films/1")
    assert ended.usage.video_duration == 5
    assert studio.last_path() == "/api/v1/services/aigc/video-generation/video-synthesis"
    assert studio.upstream.made[-1].body["parameters"] == {"duration": 5}
    assert studio.new_rows() == [
        ("native-service", "finished", "studio/wanx2.1-t2v-turbo", "", "0.00"),
        ("tasks.result", "finished", "studio/wanx2.1-t2v-turbo", "video_count 1, video_duration 5", "1.20"),
    ]


def test_a_recording_is_transcribed_by_a_task_and_billed_by_its_seconds(studio: Studio) -> None:
    found = [
        {
            "file_url": "https://sounds/1.wav",
            "transcription_url": "https://texts/1.json",
            "subtask_status": "SUCCEEDED",
        }
    ]
    studio.makes_task("t-text", {"duration": 61}, results=found)

    made = Transcription.async_call(model="paraformer-v2", file_urls=["https://sounds/1.wav"])
    ended = Transcription.wait(made.output.task_id)

    assert (ended.status_code, ended.output["task_status"]) == (200, "SUCCEEDED")
    assert ended.output["results"] == found
    assert studio.last_path() == "/api/v1/services/audio/asr/transcription"
    assert studio.upstream.made[-1].body["input"] == {"file_urls": ["https://sounds/1.wav"]}
    assert studio.new_rows() == [
        ("native-service", "finished", "studio/paraformer-v2", "", "0.00"),
        ("tasks.result", "finished", "studio/paraformer-v2", "duration 61", "0.00488"),
    ]


def test_a_transcription_that_failed_is_told_and_costs_nothing(studio: Studio) -> None:
    failed = task("t-none", "FAILED", code="InvalidFile.DownloadFailed", message="The audio file cannot be downloaded.")
    studio.upstream.said = [Said(body=task("t-none", "PENDING"))]
    studio.upstream.tasks["t-none"] = failed

    ended = Transcription.call(model="paraformer-v2", file_urls=["https://sounds/none.wav"])

    assert (ended.output["task_status"], ended.output["code"]) == ("FAILED", "InvalidFile.DownloadFailed")
    assert studio.new_rows() == [("native-service", "finished", "studio/paraformer-v2", "", "0.00")]


def test_speech_is_made_at_once_and_billed_by_its_characters(studio: Studio) -> None:
    sound = {"audio": {"url": "https://sounds/1.wav", "id": "a-1", "expires_at": 1_900_000_000}}
    studio.answers({"output": sound | {"finish_reason": "stop"}, "usage": {"characters": 5}, "request_id": "theirs"})

    said: Any = HttpSpeechSynthesizer.call(model="cosyvoice-v3-flash", text="hello", voice="longanyang")

    assert said.audio_url == "https://sounds/1.wav"
    assert studio.last_path() == "/api/v1/services/audio/tts/SpeechSynthesizer"
    assert studio.new_rows() == [("native-service", "finished", "studio/cosyvoice-v3-flash", "characters 5", "0.0005")]


def test_speech_is_streamed_and_billed_by_its_last_count(studio: Studio) -> None:
    pieces: list[dict[str, Any]] = [
        {"type": "sentence-synthesis", "sentence": {"index": 0}, "audio": {"data": data}} for data in ("YQ==", "Yg==")
    ]
    end = {"finish_reason": "stop", "audio": {"url": "https://sounds/3.wav"}}
    counts = zip([*pieces, end], (3, 5, 5), strict=True)
    studio.answers(*({"output": each, "usage": {"characters": count}} for each, count in counts))

    speech: Any = HttpSpeechSynthesizer
    said = list(speech.call(model="cosyvoice-v3-flash", text="hello", voice="longanyang", stream=True))

    assert [(each.audio_data, each.audio_url) for each in said] == [
        (b"a", None),
        (b"b", None),
        (b"ab", "https://sounds/3.wav"),
    ]
    assert studio.upstream.made[-1].headers["x-dashscope-sse"] == "enable"
    assert studio.new_rows() == [("native-service", "finished", "studio/cosyvoice-v3-flash", "characters 5", "0.0005")]


def test_speech_of_a_qwen_model_is_made_at_the_address_of_models_that_see(studio: Studio) -> None:
    sound = {"audio": {"url": "https://sounds/2.wav", "data": ""}}
    studio.answers({"output": sound, "usage": {"characters": 5}, "request_id": "theirs"})

    said: Any = QwenSpeech.call(model="qwen-tts", text="hello", voice="Cherry")

    assert (said.status_code, said.output.audio["url"]) == (200, "https://sounds/2.wav")
    assert studio.new_rows() == [("native-service", "finished", "studio/qwen-tts", "characters 5", "0.0005")]


@pytest.mark.parametrize(
    ("model", "refusal"),
    [
        (
            UNROUTED,
            (
                403,
                "AccessDenied.Unpurchased",
                f"{UNPURCHASED} (this server hands `{UNROUTED}` on to no upstream)",
            ),
        ),
        ("wanx-unheard-of", (404, "ModelNotFound", "Model can not be found.")),
    ],
)
def test_a_service_that_this_server_does_not_offer_is_refused_in_words(
    studio: Studio, model: str, refusal: tuple[int, str, str]
) -> None:
    before = len(studio.upstream.made)

    answer = dashscope.ImageSynthesis.async_call(model=model, prompt="a cat")

    assert (answer.status_code, answer.code, answer.message) == refusal
    assert len(studio.upstream.made) == before
    assert {(row[1], row[4]) for row in studio.new_rows()} <= {("failed", "0.00")}


def test_what_a_service_is_asked_is_looked_through_for_listed_words(studio: Studio) -> None:
    before = len(studio.upstream.made)

    refused = [
        dashscope.ImageSynthesis.async_call(model="wanx2.1-t2i-turbo", prompt="a cat", **hidden)
        for hidden in ({"negative_prompt": FORBIDDEN.upper()}, {"style": {"of": [FORBIDDEN]}}, {FORBIDDEN: 1})
    ]

    assert {(each.status_code, each.code) for each in refused} == {(400, "DataInspectionFailed")}
    assert len(studio.upstream.made) == before
    assert {(row[1], row[4]) for row in studio.new_rows()} == {("failed", "0.00")}


def test_the_answer_of_a_service_is_looked_through_and_what_was_made_is_billed(studio: Studio) -> None:
    def said(text: str, count: int) -> dict[str, Any]:
        return {"output": {"text": text, "audio": {"data": "YQ=="}}, "usage": {"characters": count}}

    def speak(**parameters: Any) -> Any:
        return QwenSpeech.call(model="qwen-tts", text="hello", voice="Cherry", **parameters)

    studio.answers(said(f"Of {FORBIDDEN}.", 5))
    whole = speak()
    studio.answers(said("Once. ", 2), said("Of the forbid", 4), said("den fruit.", 5), said("End.", 6))
    streamed = list(speak(stream=True))

    assert (whole.status_code, whole.code, whole.message) == BLOCKED
    assert streamed[0].output["text"] == "Once. "
    assert [(each.status_code, each.code, each.message) for each in streamed[1:]] == [BLOCKED]
    assert [(row[1], *row[3:]) for row in studio.new_rows()] == [("failed", "characters 5", "0.0005")] * 2


def test_what_a_task_made_is_looked_through_when_it_is_fetched_and_billed_all_the_same(studio: Studio) -> None:
    studio.upstream.said = [Said(body=task("t-blocked", "PENDING"))]
    studio.upstream.tasks["t-blocked"] = task(
        "t-blocked", "SUCCEEDED", {"duration": 61}, results=[{"text": f"It was {FORBIDDEN}."}]
    )

    made = Transcription.async_call(model="paraformer-v2", file_urls=["https://sounds/1.wav"])
    looks = [Transcription.fetch(made.output.task_id) for _ in range(2)]

    assert (made.status_code, made.output["task_status"]) == (200, "PENDING")
    assert [(each.status_code, each.code, each.message) for each in looks] == [BLOCKED, BLOCKED]
    assert [(row[0], row[3]) for row in studio.new_rows()] == [("native-service", ""), ("tasks.result", "duration 61")]


def test_a_service_that_gets_no_personal_data_gives_the_caller_its_own_back(studio: Studio) -> None:
    studio.answers(
        {"output": {"text": "For [EMAIL"}, "usage": {"duration": 1}},
        {"output": {"text": "_1], at once."}, "usage": {"duration": 2}},
    )
    said: Any = dashscope.MultiModalConversation.call(
        model=MASKED, messages=[{"role": "user", "content": [{"text": "Of jane@example.com"}]}], stream=True
    )
    texts = [each.output["text"] for each in said]

    assert texts == ["For jane@example.com", ", at once."]
    assert studio.upstream.made[-1].body["input"]["messages"][0]["content"] == [{"text": "Of [EMAIL_1]"}]
    assert studio.new_rows() == [("native-service", "finished", f"masked/{MASKED}", "duration 2", "0.0002")]


def test_a_task_with_personal_data_is_refused_where_its_result_could_not_be_put_back(studio: Studio) -> None:
    before = len(studio.upstream.made)

    where = {"task_group": "aigc", "task": "multimodal-generation", "function": "generation"}
    refused = BaseAsyncApi.async_call(model=MASKED, input={"text": "Of jane@example.com"}, **where)

    assert (refused.status_code, refused.code) == (400, "InvalidParameter")
    assert "the result of a task comes too late" in refused.message
    assert len(studio.upstream.made) == before


def test_a_service_by_websocket_is_refused(studio: Studio, caplog: pytest.LogCaptureFixture) -> None:
    said = RealtimeSpeech.call(model="sambert-zhichu-v1", text="hello")

    assert said.get_response().status_code == 404
    with pytest.raises(TimeoutError):
        DuplexSpeech(model="cosyvoice-v2", voice="longxiaochun_v2").call("hello")
    assert "This server takes no WebSocket calls" in caplog.text
    assert studio.new_rows() == []
