"""Where upstreams are: regions and hosts of Model Studio, own servers, and what is refused in words."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import certifi
import pytest

from qwenport.engines.upstream.place import AccountPace, Place, UpstreamInvalid, place_of, places_of
from qwenport.settings.configuration_file import UpstreamTable


def alibaba(**fields: Any) -> UpstreamTable:
    return UpstreamTable(name="a", kind="alibaba", **fields)


def own(base_url: str = "http://10.0.0.5:8000/v1", **fields: Any) -> UpstreamTable:
    return UpstreamTable(name="a", kind="openai", base_url=base_url, **fields)


def refused(table: UpstreamTable) -> str:
    with pytest.raises(UpstreamInvalid) as caught:
        place_of(table)
    return str(caught.value)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("beijing", "dashscope.aliyuncs.com"),
        ("singapore", "dashscope-intl.aliyuncs.com"),
        ("us", "dashscope-us.aliyuncs.com"),
        ("hongkong", "cn-hongkong.dashscope.aliyuncs.com"),
    ],
)
def test_a_region_with_a_shared_host_needs_nothing_else(region: str, host: str) -> None:
    assert place_of(alibaba(region=region)) == Place(
        name="a",
        kind="alibaba",
        region=region,
        base_urls=(f"https://{host}/compatible-mode/v1",),
        native_url=f"https://{host}/api/v1",
        rerank_url=f"https://{host}/compatible-api/v1",
        dialect="model-studio",
    )


@pytest.mark.parametrize(
    ("region", "region_id"),
    [
        ("beijing", "cn-beijing"),
        ("singapore", "ap-southeast-1"),
        ("us", "us-east-1"),
        ("hongkong", "cn-hongkong"),
        ("frankfurt", "eu-central-1"),
        ("tokyo", "ap-northeast-1"),
    ],
)
def test_a_workspace_has_a_host_of_its_own_in_every_region(region: str, region_id: str) -> None:
    place = place_of(alibaba(region=region, workspace="llm-1A2b"))

    host = f"llm-1a2b.{region_id}.maas.aliyuncs.com"
    assert (place.region, place.base_urls) == (region, (f"https://{host}/compatible-mode/v1",))
    assert (place.native_url, place.rerank_url) == (f"https://{host}/api/v1", f"https://{host}/compatible-api/v1")


@pytest.mark.parametrize("region", ["frankfurt", "tokyo"])
def test_a_region_of_workspaces_alone_asks_for_one(region: str) -> None:
    assert f"{region} has hosts of workspaces alone; write the workspace's id" in refused(alibaba(region=region))


@pytest.mark.parametrize(
    ("base_url", "region", "native_url"),
    [
        ("https://dashscope-us.aliyuncs.com/compatible-mode/v1", "us", "https://dashscope-us.aliyuncs.com/api/v1"),
        (
            "https://ws-1.eu-central-1.maas.aliyuncs.com/compatible-mode/v1/",
            "frankfurt",
            "https://ws-1.eu-central-1.maas.aliyuncs.com/api/v1",
        ),
        (
            "https://token-plan.cn-beijing.maas.aliyuncs.com/compatible-mode/v1",
            "beijing",
            "https://token-plan.cn-beijing.maas.aliyuncs.com/api/v1",
        ),
        ("https://coding-intl.dashscope.aliyuncs.com/v1", "singapore", ""),
    ],
)
def test_the_region_of_a_known_host_is_known(base_url: str, region: str, native_url: str) -> None:
    place = place_of(alibaba(base_url=base_url))

    assert (place.region, place.base_urls, place.native_url) == (region, (base_url.rstrip("/"),), native_url)


def test_a_server_of_ones_own_is_as_it_was_described() -> None:
    table = own(
        "HTTPS://Gpu.Example.com:8443/v1/",
        replicas=("https://gpu2.example.com/v1",),
        region="frankfurt",
        dialect="vllm",
        mask=True,
        connect_s=1,
        first_event_s=2,
        between_events_s=3,
        total_s=4,
        health_path="/health",
        models=("Qwen/Qwen3-8B",),
        rpm=60,
        tpm=1_000,
        concurrency=4,
    )

    assert place_of(table) == Place(
        name="a",
        kind="openai",
        region="frankfurt",
        base_urls=("https://gpu.example.com:8443/v1", "https://gpu2.example.com/v1"),
        dialect="vllm",
        mask=True,
        connect_s=1,
        first_event_s=2,
        between_events_s=3,
        total_s=4,
        health_path="/health",
        models=("Qwen/Qwen3-8B",),
        pace=AccountPace(account="a", requests_per_minute=60, tokens_per_minute=1_000, concurrency=4),
    )


@pytest.mark.parametrize(
    "base_url",
    [
        *("http://127.0.0.1:8000/v1", "http://[::1]:8000/v1", "http://10.1.2.3/v1", "http://192.168.0.9/v1"),
        *("http://[fd00::7]/v1", "http://100.64.0.1/v1", "http://vllm:8000/v1", "http://localhost:11434/v1"),
        *("http://gpu.local/v1", "http://host.docker.internal:8000/v1", "http://v.default.svc.cluster.local/v1"),
    ],
)
def test_plain_http_is_taken_within_the_house(base_url: str) -> None:
    assert place_of(own(base_url)).base_urls == (base_url,)


@pytest.mark.parametrize(
    "base_url",
    [
        *("http://gpu.example.com/v1", "http://8.8.8.8/v1", "http://[2001:4860:4860::8888]/v1"),
        *("http://[::ffff:8.8.8.8]/v1", "http://local.example/v1"),
    ],
)
def test_plain_http_over_the_public_internet_must_be_meant(base_url: str) -> None:
    assert "would send the key and every call in clear text" in refused(own(base_url))
    assert "would send the key and every call in clear text" in refused(own(replicas=(base_url,)))
    assert place_of(own(base_url, allow_http=True)).base_urls == (base_url,)


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("10.0.0.5:8000/v1", "it must begin with `https://` or `http://`"),
        ("ftp://host/v1", "it must begin with `https://` or `http://`"),
        ("https:///v1", "which names no host"),
        ("https://ho st/v1", "holds characters that no URL has"),
        ("https://host/v1\r\nX-Evil: 1", "holds characters that no URL has"),
        ("https://hōst.example/v1", "write a host outside of ASCII as `xn--…`"),
        ("https://host\\@evil/v1", "holds characters that no URL has"),
        ("https://me:hush@host.example/v1", "holds a user or a password"),
        ("https://host.example/v1?api_key=hush", "holds `?` or `#`"),
        ("https://host.example/v1#hush", "holds `?` or `#`"),
        ("https://host.example/v1?", "holds `?` or `#`"),
        ("https://host.example:99999/v1", "is no URL"),
        ("https://host.example:0/v1", "has a port that is none"),
        ("https://host.example:/v1", "has a port that is none"),
        ("https://-host.example/v1", "which names no host"),
        ("https://host..example/v1", "which names no host"),
        ("https://2130706433/v1", "which names no host"),
        ("https://0x7f.1/v1", "which names no host"),
        ("https://1.2.3.400/v1", "which names no host"),
        ("https://[::1/v1", "is no URL"),
        ("https://host.example/a/../v1", "without `//`, `.` and `..`"),
        ("https://host.example//v1", "without `//`, `.` and `..`"),
        ("https://host.example", "which has no path; write the base that `/chat/completions` follows"),
        ("https://host.example/v1/chat/completions", "which is the address of one operation"),
        (
            "https://dashscope.aliyuncs.com/api/v1",
            "but the face that is used of Model Studio is `https://dashscope.aliyuncs.com/compatible-mode/v1`",
        ),
        ("https://dashscope.aliyuncs.com/v1", "`https://dashscope.aliyuncs.com/compatible-mode/v1`; write that"),
        (
            "https://coding.dashscope.aliyuncs.com/apps/anthropic",
            "is `https://coding.dashscope.aliyuncs.com/v1`; write that",
        ),
    ],
)
def test_a_base_url_that_cannot_be_used_is_refused_in_words_without_secrets(base_url: str, words: str) -> None:
    told = refused(own(base_url))

    assert told.startswith("upstream `a`: `base_url` ")
    assert words in told
    assert "hush" not in told


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (alibaba(), "`region` is missing; write one of beijing, singapore, hongkong, us, frankfurt, tokyo"),
        (alibaba(region="london"), "`region` is `london`; it must be one of beijing, singapore"),
        (alibaba(region="us", workspace="a.evil.com/#"), "`workspace` has the wrong form"),
        (alibaba(region="us", workspace="a" * 64), "`workspace` has the wrong form"),
        (alibaba(region="us", workspace="ws-1\n"), "`workspace` has the wrong form"),
        (
            alibaba(workspace="x", base_url="https://h.example/compatible-mode/v1", region="us"),
            "both name a host; leave one of them out",
        ),
        (
            alibaba(base_url="https://dashscope-us.aliyuncs.com/compatible-mode/v1", region="beijing"),
            "`base_url` is a host of us, but `region` is `beijing`",
        ),
        (
            alibaba(base_url="https://private.example/compatible-mode/v1"),
            "say in which of beijing, singapore, hongkong, us, frankfurt, tokyo the host `private.example` answers",
        ),
        (alibaba(region="us", dialect="vllm"), "`dialect` is `vllm`, but Model Studio has its own"),
        (alibaba(region="us", health_path="/health"), "`health_path` is for servers of the kind `openai`"),
        (own(""), "`base_url` is missing"),
        (own(workspace="x"), "`workspace` is for upstreams of the kind `alibaba`"),
        (own(region="cellar"), "`region` is `cellar`; it must be one of beijing, frankfurt, global"),
        (own(health_path="health"), "write the path from the server's root on"),
        (own(health_path="/a\r\nb"), "write the path from the server's root on"),
        (own(models=("a b",)), "`models` holds `a b`"),
        (own(models=("a", "a")), "names the same twice"),
        (own(replicas=("https://10.0.0.6/v1",)), "`replicas` have another scheme than the main address"),
        (own(replicas=("http://10.0.0.6:8000/other/v1",)), "`replicas` have another path than the main address"),
        (own(replicas=("http://10.0.0.6:8000/v1",), dns_replicas=True), "`replicas` and `dns_replicas` both say where"),
        (own(replicas=("http://10.0.0.5:8000/v1/",)), "`replicas` name the main address again"),
        (own(replicas=("10.0.0.6",)), "`replicas` is `10.0.0.6`; it must begin with"),
        (own(first_event_s=10, total_s=5), "is longer than `total_s`"),
        (
            own("https://gpu/v1", ca_file="/no/such/file"),
            "`ca_file` is /no/such/file, which cannot be read: No such file",
        ),
        (own(ca_file=certifi.where()), "`ca_file` is given, but its address is plain http"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_words(table: UpstreamTable, words: str) -> None:
    assert words in refused(table)


@pytest.mark.parametrize("name", ["", "A", "a/b", "a b", "-a", "a" * 65, "ä"])
def test_a_name_that_no_route_could_hold_is_refused(name: str) -> None:
    with pytest.raises(UpstreamInvalid, match="its name must be 1 to 64 of"):
        place_of(UpstreamTable(name=name, kind="openai", base_url="http://10.0.0.5/v1"))


def test_a_ca_file_must_hold_certificates(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.touch()
    assert f"`ca_file` is {path}, which is empty" in refused(own("https://gpu/v1", ca_file=str(path)))
    path.write_text("not a certificate")
    assert f"`ca_file` is {path}, which holds no certificates" in refused(own("https://gpu/v1", ca_file=str(path)))
    place = place_of(own("https://gpu/v1", ca_file=certifi.where()))
    digest = hashlib.sha256(Path(certifi.where()).read_bytes()).hexdigest()
    assert (place.ca_file, place.ca_sha256) == (certifi.where(), digest)


def test_upstreams_that_share_an_account_are_paced_together_by_its_figures() -> None:
    tables = (
        UpstreamTable(name="first", kind="alibaba", region="us", rpm=600, tpm=7),
        UpstreamTable(name="second", kind="alibaba", region="us", workspace="ws-2", paced_with="first"),
        UpstreamTable(name="third", kind="alibaba", region="us"),
    )

    shared = AccountPace(account="first", requests_per_minute=600, tokens_per_minute=7)
    assert [place.pace for place in places_of(tables)] == [shared, shared, None]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"paced_with": "nobody"}, "`paced_with` is `nobody`, which is no other upstream; known are `first`, `paced`"),
        ({"paced_with": "a"}, "`paced_with` is `a`, which is no other upstream"),
        ({"paced_with": "paced"}, "is itself paced with `first`; name that one"),
        ({"paced_with": "first", "rpm": 5}, "write `rpm`, `tpm` and `concurrency` at `first`"),
    ],
)
def test_sharing_an_account_that_cannot_be_is_refused(fields: dict[str, Any], words: str) -> None:
    tables = (
        UpstreamTable(name="first", kind="alibaba", region="us", rpm=600),
        UpstreamTable(name="paced", kind="alibaba", region="us", paced_with="first"),
        alibaba(region="us", **fields),
    )
    with pytest.raises(UpstreamInvalid) as caught:
        places_of(tables)
    assert words in str(caught.value)


def test_the_addresses_of_one_name_can_be_replicas() -> None:
    assert place_of(own("http://gpu/v1", dns_replicas=True)).dns_replicas


def test_two_upstreams_of_one_name_are_refused() -> None:
    with pytest.raises(UpstreamInvalid, match="upstream `a`: stands in the configuration twice"):
        places_of((own(), own("http://10.0.0.6/v1")))
