"""One model file: what it may say, and the words for what it may not."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from qwenport.catalog.engine_model import EngineModel, Weights
from qwenport.catalog.errors import CatalogInvalid
from qwenport.catalog.model_file import ModelFile, read_model_file
from qwenport.core.capabilities import Ability, Capabilities, Thinking
from qwenport.core.model_card import Modality, ModelCard, Price, PublishedLimit, ResultFormat, SamplingDefaults
from qwenport.core.tools import ToolUse

SHA256 = "0123456789abcdef" * 4

WHOLE = f"""
name = "own-model"
description = "A model of our own"
family = "own"
released = 2026-01-02
context_tokens = 1_000
max_input_tokens = 900
max_output_tokens = 100
modalities = ["text", "image"]
image_patch_pixels = 28
default_result_format = "message"
route = ["llama/other"]

[capabilities]
abilities = ["chat", "embedding"]
thinking = "hybrid"
thinks_by_default = true
max_thinking_tokens = 50
tool_uses = ["auto", "required"]
explicit_cache = true
dimensions = [64, 32]
max_texts = 5

[sampling]
temperature = 0.5

[[prices]]
region = "beijing"
currency = "CNY"
input = "0.0008"
output = "0.002"
thinking_output = "0.008"
cached_input = "0.0002"
per_tokens = 1_000
up_to_input_tokens = 900
since = 2026-01-01
source = "Our price list"

[[published_limits]]
region = "beijing"
source = "Our limits"
requests_per_minute = 60
tokens_per_minute = 10_000

[weights]
source = "file:/models/own.gguf"
sha256 = "{SHA256}"
size_bytes = 5
licence = "Apache-2.0"

[engine]
kind = "llama"
context_tokens = 500
slots = 2
image_tokens = 400
process_bytes = 600

[projector]
source = "file:/models/sight.gguf"
sha256 = "{SHA256}"
size_bytes = 7
licence = "MIT"
"""

BARE = """
name = "own-model"
description = "A model of our own"
family = "own"
released = 2026-01-02
context_tokens = 1_000
max_input_tokens = 900
max_output_tokens = 100
route = ["llama/other"]
"""


def test_every_field_of_a_file_reaches_the_card_and_the_engine_model() -> None:
    price = Price(
        region="beijing",
        currency="CNY",
        input=Decimal("0.0008"),
        output=Decimal("0.002"),
        thinking_output=Decimal("0.008"),
        cached_input=Decimal("0.0002"),
        per_tokens=1_000,
        up_to_input_tokens=900,
        since=date(2026, 1, 1),
        source="Our price list",
    )
    limit = PublishedLimit(region="beijing", source="Our limits", requests_per_minute=60, tokens_per_minute=10_000)
    able = Capabilities(
        abilities=(Ability.CHAT, Ability.EMBEDDING),
        thinking=Thinking.HYBRID,
        thinks_by_default=True,
        max_thinking_tokens=50,
        vision=True,
        tool_uses=(ToolUse.AUTO, ToolUse.REQUIRED),
        explicit_cache=True,
        dimensions=(64, 32),
        max_texts=5,
    )
    card = ModelCard(
        name="own-model",
        description="A model of our own",
        family="own",
        released=date(2026, 1, 2),
        context_tokens=1_000,
        max_input_tokens=900,
        max_output_tokens=100,
        modalities=(Modality.TEXT, Modality.IMAGE),
        capabilities=able,
        image_patch_pixels=28,
        default_result_format=ResultFormat.MESSAGE,
        sampling=SamplingDefaults(temperature=0.5),
        prices=(price,),
        published_limits=(limit,),
        route=("llama/other",),
    )
    engine_model = EngineModel(
        name="own-model",
        kind="llama",
        weights=Weights(source="file:/models/own.gguf", sha256=SHA256, size_bytes=5, licence="Apache-2.0"),
        context_tokens=500,
        slots=2,
        capabilities=able,
        projector=Weights(source="file:/models/sight.gguf", sha256=SHA256, size_bytes=7, licence="MIT"),
        image_tokens=400,
        process_bytes=600,
    )

    assert read_model_file(WHOLE, "own.toml") == ModelFile(where="own.toml", card=card, engine_model=engine_model)


def test_a_file_without_the_engine_tables_is_a_card_alone() -> None:
    assert read_model_file(BARE, "own.toml").engine_model is None


def test_a_model_with_an_engine_of_its_own_is_its_own_target_when_no_route_is_given() -> None:
    text = WHOLE.replace('route = ["llama/other"]\n', "")
    assert read_model_file(text, "own.toml").card.route == ("llama/own-model",)


PRICE = WHOLE[WHOLE.index("[[prices]]") : WHOLE.index("[[published_limits]]")]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('family = "own"', "family = ", "own.toml: is not valid TOML: Invalid value (at line 4, column 10)"),
        ('family = "own"', 'famly = "own"', "own.toml: `famly` is no field of a model file; did you mean `family`?"),
        ("[sampling]", "[sampling]\ntemprature = 1.0", "`sampling.temprature` is no field of a model file; did you"),
        ("per_tokens = 1_000", "per_token = 1_000", "`prices[0].per_token` is no field of a model file; did you mean"),
        ("slots = 2", "slots = 2\nxyzzy = 1", "`engine.xyzzy` is no field of a model file; known are context_tokens,"),
        ("size_bytes = 5", "size_byte = 5", "`weights.size_byte` is no field of a model file; did you mean `size_byt"),
        ("tokens_per_minute = 10_000", "tpm = 1", "`published_limits[0].tpm` is no field of a model file; known are"),
        ('family = "own"', "stands_in = true", "`stands_in` is no field of a model file"),
        ('family = "own"', "", "own.toml: `family` is missing; add it"),
        ("slots = 2", "", "own.toml: `engine.slots` is missing; add it"),
        ("since = 2026-01-01", "", "own.toml: `prices[0].since` is missing; add it"),
        ('source = "Our price list"', "", "own.toml: `prices[0].source` is missing; add it"),
        ("size_bytes = 5", "size_bytes = '5'", "`weights.size_bytes` has a wrong value: expected `int`, got `str`"),
        ("context_tokens = 1_000", "context_tokens = 1.5", "`context_tokens` has a wrong value: expected `int`, got"),
        ('"message"', '"html"', "`default_result_format` has a wrong value: invalid enum value 'html'; correct it"),
        ("released = 2026-01-02", "released = 2026", "`released` has a wrong value: expected `date`, got `int`"),
        ('name = "own-model"', 'name = "Own Model"', "`name` is `Own Model`; use 1 to 128 of a-z, 0-9"),
        ('name = "own-model"', 'name = "../own"', "`name` is `../own`; use 1 to 128 of a-z, 0-9"),
        ('"A model of our own"', '" "', "`description` is empty; say in a few words what the model is"),
        ("context_tokens = 1_000", "context_tokens = 0", "`context_tokens` is 0; it must be at least 1"),
        ("max_input_tokens = 900", "max_input_tokens = 1_001", "`max_input_tokens` is 1001; it must be from 1 to `c"),
        ("max_output_tokens = 100", "max_output_tokens = 0", "`max_output_tokens` is 0; it must be from 1 to `conte"),
        ('["text", "image"]', '["image"]', '`modalities` must name "text" and each further kind of input once'),
        ('["text", "image"]', '["text", "text"]', '`modalities` must name "text" and each further kind of input once'),
        ("image_patch_pixels = 28", "image_patch_pixels = 0", "`image_patch_pixels` is 0; it must be at least 1"),
        ("explicit_cache", "explicit_cash", "`capabilities.explicit_cash` is no field of a model file; did you mean"),
        ("explicit_cache", "vision", "`capabilities.vision` is no field of a model file; "),
        ('"chat", "embedding"', "", "`capabilities.abilities` must name at least one kind of work"),
        ('"chat", "embedding"', '"chat", "chat"', "`capabilities.abilities` must name at least one kind of work"),
        ('"chat", "embedding"', '"chat", "sing"', "`capabilities.abilities[1]` has a wrong value: invalid enum value"),
        ('"chat", "embedding"', '"embedding"', "`max_output_tokens` is 100; a model that generates nothing has 0"),
        ('"chat", "embedding"', '"chat"', "`capabilities.dimensions` must name the lengths of vectors of an embedding"),
        ("[64, 32]", "[]", "`capabilities.dimensions` must name the lengths of vectors of an embedding model, each"),
        ("[64, 32]", "[64, 64]", "`capabilities.dimensions` must name the lengths of vectors of an embedding model"),
        ("[64, 32]", "[64, 0]", "`capabilities.dimensions` must name the lengths of vectors of an embedding model"),
        ("max_texts = 5", "max_texts = 0", "`capabilities.max_texts` must be at least 1 for a model that embeds or"),
        ('"hybrid"', '"always"', "`capabilities.thinks_by_default` is for models whose `thinking` is"),
        (
            '"hybrid"\nthinks_by_default = true',
            '"none"',
            "`capabilities.max_thinking_tokens` must be at least 1, and is",
        ),
        ("max_thinking_tokens = 50", "max_thinking_tokens = 0", "`capabilities.max_thinking_tokens` must be at leas"),
        ('"auto", "required"', '"auto", "auto"', "`capabilities.tool_uses` names a value twice; name each once"),
        ("temperature = 0.5", "temperature = 2.0", "`sampling.temperature` is 2.0; it must be from 0 to below 2"),
        ("temperature = 0.5", "temperature = nan", "`sampling.temperature` is nan; it must be from 0 to below 2"),
        ("temperature = 0.5", "top_p = 0.0", "`sampling.top_p` is 0.0; it must be above 0 and at most 1"),
        ("temperature = 0.5", "top_k = -1", "`sampling.top_k` is -1; it must be at least 0"),
        ("temperature = 0.5", "repetition_penalty = 0.0", "`sampling.repetition_penalty` is 0.0; it must be above 0"),
        ("temperature = 0.5", "presence_penalty = -2.5", "`sampling.presence_penalty` is -2.5; it must be from -2 to"),
        ('input = "0.0008"', "input = 0.0008", "`prices[0].input` is 0.0008; write a decimal amount in quotes, su"),
        ('output = "0.002"', 'output = "-1"', "`prices[0].output` is '-1'; write a decimal amount in quotes, such"),
        ('cached_input = "0.0002"', 'cached_input = "NaN"', "`prices[0].cached_input` is 'NaN'; write a decimal amou"),
        ('thinking_output = "0.008"', 'thinking_output = "1e3"', "`prices[0].thinking_output` is '1e3'; write a deci"),
        ("per_tokens = 1_000", "per_tokens = 0", "`prices[0].per_tokens` is 0; it must be at least 1, such as"),
        ('currency = "CNY"', 'currency = "yuan"', "`prices[0].currency` is `yuan`; price lists are in CNY or USD"),
        ('region = "beijing"\ncurr', 'region = ""\ncurr', "`prices[0].region` is empty; name the region, such as `b"),
        (
            'region = "beijing"\ncurr',
            'region = "moon"\ncurr',
            "`prices[0].region` is `moon`, which has no price list in CNY; known are beijing",
        ),
        (
            'input = "0.0008"',
            'input = "1000.1"',
            "`prices[0].input` is 1000.1 for 1000 tokens; it must be from 0 to 1 fo",
        ),
        ('thinking_output = "0.008"', 'thinking_output = "8000"', "`prices[0].thinking_output` is 8000 for 1000 to"),
        (
            "per_tokens = 1_000",
            'batch_factor = "11"\nper_tokens = 1_000',
            "`prices[0].batch_factor` is 11; it must be fro",
        ),
        (
            "per_tokens = 1_000",
            "batch_factor = 0.5\nper_tokens = 1_000",
            "`prices[0].batch_factor` is 0.5; write a decima",
        ),
        (
            "up_to_input_tokens = 900",
            "up_to_input_tokens = 899",
            "`prices` for `beijing` in CNY since 2026-01-01 end at 899 tokens, but `max_input_tokens` is 900; leave `u",
        ),
        ("family = ", "costs_nothing = true\nfamily = ", "`costs_nothing` is no field of a model file"),
        ('"Our price list"', '""', "`prices[0].source` is empty; say where and when the figure was read"),
        ('"Our limits"', '""', "`published_limits[0].source` is empty; say where and when the figure was read"),
        ("up_to_input_tokens = 900", "up_to_input_tokens = 0", "`prices[0].up_to_input_tokens` is 0; it must be at l"),
        ("requests_per_minute = 60", "requests_per_minute = 0", "`published_limits[0].requests_per_minute` is 0; it"),
        ("[[published_limits]]", PRICE + "[[published_limits]]", "`prices` for `beijing` in CNY since 2026-01-01 over"),
        ('["llama/other"]', '["llama"]', "`route` holds `llama`, which is not of the form `engine/model`"),
        ('["llama/other"]', '["a/b", "a/b"]', "`route` names a target twice; a target is tried once only"),
        ('kind = "llama"', 'kind = "a/b"', "`engine.kind` is `a/b`; use 1 to 128 of a-z, 0-9"),
        ("context_tokens = 500", "context_tokens = 1_001", "`engine.context_tokens` is 1001; it must be from 1 to th"),
        ("slots = 2", "slots = 0", "`engine.slots` is 0; it must be from 1 to 256"),
        ("file:/models/own.gguf", "ftp://x", "`weights.source` is `ftp://x`, which begins with no known kind of so"),
        (SHA256, "ABC", "`weights.sha256` must be 64 lower-case hexadecimal digits; `sha256sum FILE` prints them"),
        ("size_bytes = 5", "size_bytes = 0", "`weights.size_bytes` is 0; it must be the file's length in bytes"),
        ("Apache-2.0", "", "`weights.licence` is empty; name the licence of the weights, such as `Apache-2.0`"),
        ("MIT", "", "`projector.licence` is empty; name the licence of the weights, such as `Apache-2.0`"),
        ("size_bytes = 7", "", "own.toml: `projector.size_bytes` is missing; add it"),
        ("size_bytes = 7", "size_bytes = 7\nkv_bytes_per_token = 1", "`projector.kv_bytes_per_token` is no field of a"),
        ('["text", "image"]', '["text"]', '`projector` is for a model that sees; add "image" to `modalities`, or'),
        ("[projector]", "[detector]", "`engine.image_tokens` is for a model with a `[projector]`; add the table, or l"),
        ("image_tokens = 400", "image_tokens = 500", "`engine.image_tokens` is 500; it must be below `context_tokens"),
        (
            "image_tokens = 400",
            "image_tokens = -1",
            "`engine.image_tokens` is -1; it must be below `context_tokens`, w",
        ),
        ("process_bytes = 600", "process_bytes = -1", "`engine.process_bytes` is -1; write the bytes of one process"),
    ],
)
def test_a_wrong_file_is_refused_with_the_file_the_field_and_what_to_do(old: str, new: str, words: str) -> None:
    assert WHOLE.count(old) > 0
    with pytest.raises(CatalogInvalid, match=re.escape(words)):
        read_model_file(WHOLE.replace(old, new, 1), "own.toml")


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ('[engine]\nkind = "llama"\ncontext_tokens = 1\nslots = 1', "`weights` is missing beside `[engine]`; add the"),
        ('[weights]\nsource = "file:/w"', "`engine` is missing beside `[weights]`; add the table `[engine]`"),
        ("weights = 3\n[engine]\nkind = 'llama'\ncontext_tokens = 1\nslots = 1", "`weights` has a wrong value: expec"),
        ('projector.source = "file:/p"', "`projector` is for a model with `[weights]` and `[engine]`; add both or"),
        ('prices = "free"', "`prices` has a wrong value: expected `array`, got `str`"),
        ("prices = [3]", "`prices[0]` has a wrong value: expected `object`, got `int`"),
    ],
)
def test_a_table_that_is_missing_or_none_is_named(tables: str, words: str) -> None:
    with pytest.raises(CatalogInvalid, match=re.escape(words)):
        read_model_file(BARE + tables, "own.toml")


def test_a_lower_tier_after_a_higher_one_is_refused() -> None:
    lower = PRICE.replace("up_to_input_tokens = 900", "up_to_input_tokens = 400")
    with pytest.raises(CatalogInvalid, match="order the tiers by `up_to_input_tokens`"):
        read_model_file(BARE + PRICE + lower, "own.toml")


def test_a_tier_after_the_one_without_a_bound_is_refused() -> None:
    unbounded = PRICE.replace("up_to_input_tokens = 900\n", "")
    with pytest.raises(CatalogInvalid, match="order the tiers by `up_to_input_tokens`"):
        read_model_file(BARE + unbounded + PRICE, "own.toml")


def test_tiers_in_order_and_prices_of_other_days_regions_and_currencies_stand_side_by_side() -> None:
    unbounded = PRICE.replace("up_to_input_tokens = 900\n", "")
    lists = [
        PRICE,
        unbounded,
        unbounded.replace("since = 2026-01-01", "since = 2025-01-01"),
        unbounded.replace('"beijing"', '"singapore"').replace('"CNY"', '"USD"'),
        unbounded.replace('"CNY"', '"USD"'),
    ]

    card = read_model_file(BARE + "".join(lists), "own.toml").card

    assert [(price.region, price.currency, price.since.year, price.up_to_input_tokens) for price in card.prices] == [
        ("beijing", "CNY", 2026, 900),
        ("beijing", "CNY", 2026, None),
        ("beijing", "CNY", 2025, None),
        ("singapore", "USD", 2026, None),
        ("beijing", "USD", 2026, None),
    ]


def test_the_error_tells_the_file_and_the_field_apart() -> None:
    with pytest.raises(CatalogInvalid) as caught:
        read_model_file(BARE.replace("1_000", "0"), "own.toml")
    assert (caught.value.where, caught.value.field) == ("own.toml", "context_tokens")


def test_a_model_that_only_reads_may_have_no_output_and_a_card_of_chat_alone_needs_no_table() -> None:
    reads = BARE.replace("max_output_tokens = 100", "max_output_tokens = 0")
    table = '[capabilities]\nabilities = ["rerank"]\nmax_texts = 5\n'

    assert read_model_file(reads + table, "own.toml").card.max_output_tokens == 0
    assert read_model_file(BARE, "own.toml").card.capabilities == Capabilities()


def test_a_model_that_sees_video_says_so_by_its_modalities() -> None:
    text = BARE + 'modalities = ["text", "image", "video"]\n'

    assert read_model_file(text, "own.toml").card.capabilities == Capabilities(vision=True, video=True)


NATIVE = """
name = "pictures"
description = "Makes pictures."
family = "test"
released = 2025-01-01
context_tokens = 100
max_input_tokens = 100
max_output_tokens = 0

[capabilities]
abilities = ["native"]
native_services = ["aigc/text2image/image-synthesis"]

[[prices]]
region = "beijing"
currency = "CNY"
input = "0"
output = "0"
per_tokens = 1000
since = 2025-01-01
source = "made up for a test"
units = { image_count = "0.2" }
most_units = { image_count = 4 }
"""


def test_a_model_that_is_handed_on_names_its_services_and_what_each_thing_costs() -> None:
    card = read_model_file(NATIVE, "own.toml").card

    assert card.capabilities.native_services == ("aigc/text2image/image-synthesis",)
    assert (card.prices[0].units, card.prices[0].most_units) == ({"image_count": Decimal("0.2")}, {"image_count": 4})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('["native"]', '["native", "chat"]', "`capabilities.abilities` names other work beside"),
        ('["native"]', '["chat"]', "`capabilities.native_services` must name the services of a model whose ability"),
        ('["aigc/text2image/image-synthesis"]', "[]", "`capabilities.native_services` must name the services"),
        ("aigc/text2image/", "/", "`capabilities.native_services` holds `/image-synthesis`; write it as"),
        ('{ image_count = "0.2" }', "{ image_count = 0.2 }", "`prices[0].units.image_count` is 0.2; write a decimal"),
        ('"0.2"', '"10001"', "`prices[0].units.image_count` is 10001; it must be from 0 to 10000"),
        ("most_units = { image_count = 4 }", "", "`prices[0].most_units` must name the same things as `units`"),
        ("image_count = 4", "image_count = 0", "`prices[0].most_units.image_count` is 0; it must be from 1"),
        ("max_output_tokens = 0", "max_output_tokens = 101", "`max_output_tokens` is 101; it must be from 0"),
        ("units = { image_count", "units = { output_tokens", "`prices[0].units` names `output_tokens`; write a name"),
    ],
)
def test_a_wrong_file_of_a_model_that_is_handed_on_is_refused(old: str, new: str, words: str) -> None:
    with pytest.raises(CatalogInvalid, match=re.escape(words)):
        read_model_file(NATIVE.replace(old, new, 1), "own.toml")
