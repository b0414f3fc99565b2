"""The words of the report in its two languages, as (English, Chinese)."""

from __future__ import annotations

from enum import IntEnum


class Language(IntEnum):
    """Place of a language in each pair of words."""

    ENGLISH = 0
    CHINESE = 1


WORDS: dict[str, tuple[str, str]] = {
    "goals": ("Goals", "目标"),
    "engine": ("Embedded engine, tokens a second", "内置引擎,每秒 token 数"),
    "skipped": ("Not measured", "未测量"),
    "figure": ("figure", "指标"),
    "goal": ("goal", "目标"),
    "reached": ("reached", "实测"),
    "met": ("met", "达标"),
    "yes": ("yes", "是"),
    "no": ("**no**", "**否**"),
    "not_measured": ("not measured", "未测量"),
    "direct": ("direct", "直连"),
    "nginx": ("nginx", "nginx"),
    "qwenport": ("Qwenport", "Qwenport"),
    "litellm": ("LiteLLM", "LiteLLM"),
    "portkey": ("Portkey", "Portkey"),
    "api": ("through the API", "经由 API"),
    "ratio": ("ratio, median of pairs", "比值(成对中位数)"),
    "rate": ("calls a second relative to nginx, 32 at a time", "每秒请求数与 nginx 之比,32 并发"),
    "added_p50_ms": ("added latency p50, ms", "增加的延迟 p50,毫秒"),
    "added_p99_ms": ("added latency p99, ms", "增加的延迟 p99,毫秒"),
    "gate_us": ("CPU of gate, hold, settlement and flush, µs a call", "准入、预扣、结算与落库的 CPU,微秒/次"),
    "memory_mb": ("memory of the gateway worker, MB (1,000,000 bytes)", "网关进程内存,MB(1,000,000 字节)"),
    "engine_one": ("embedded engine through the API, share of direct, 1 stream", "内置引擎经由 API 与直连之比,1 路流"),
    "engine_eight": (
        "embedded engine through the API, share of direct, 8 streams",
        "内置引擎经由 API 与直连之比,8 路流",
    ),
    "faults": ("chunks lost, doubled, misplaced; calls failed", "丢失、重复、错序的数据块与失败的请求"),
    "books": ("the books balance and hold every call once", "账目平衡,每次调用恰好入账一次"),
    "times_litellm": ("calls a second, as a multiple of LiteLLM's, 32 at a time", "每秒请求数,LiteLLM 的倍数,32 并发"),
    "times_portkey": ("calls a second, as a multiple of Portkey's, 32 at a time", "每秒请求数,Portkey 的倍数,32 并发"),
    "times_litellm_chunks": (
        "chunks a second, as a multiple of LiteLLM's, 16 streams at a time",
        "每秒数据块数,LiteLLM 的倍数,16 路流并发",
    ),
    "load": ("load", "负载"),
    "whole_load": ("{concurrency} at a time, {body} KB", "{concurrency} 并发,{body} KB"),
    "streams_load": ("{concurrency} streams at a time", "{concurrency} 路流并发"),
    "calls_a_second": ("Calls a second", "每秒请求数"),
    "call_cpu_us": ("CPU of the server, µs a call", "服务端 CPU,微秒/次"),
    "latency_ms": ("Latency of a call, p50 / p99, ms", "请求延迟,p50 / p99,毫秒"),
    "server_share": ("Share of the server's core in use during calls, %", "请求期间服务核心占用,%"),
    "streams_a_second": ("Streams of 100 chunks a second", "每秒流数(每路 100 块)"),
    "pieces_a_second": ("Chunks a second", "每秒数据块数"),
    "piece_cpu_us": ("CPU of the server, µs a chunk", "服务端 CPU,微秒/块"),
    "first_ms": ("Time to the first chunk, p50 / p99, ms", "首块时间,p50 / p99,毫秒"),
    "streams_share": ("Share of the server's core in use during streams, %", "流式期间服务核心占用,%"),
    "servers": ("Memory and faults", "内存与错误"),
    "memory_idle": ("memory before the first call, MiB", "首次请求之前的内存,MiB"),
    "memory_after": ("memory after the last round, MiB", "末轮之后的内存,MiB"),
    "memory_grown": ("grown since the end of the first round, MiB", "自首轮结束以来的增长,MiB"),
    "pieces": ("chunks checked", "已核对的数据块"),
    "wire": ("The wire layer, CPU in µs", "协议层的 CPU,微秒"),
    "wire_note": (
        (
            "What decoding a request and encoding its answer add to the bare pipeline (no gate, no books, no sockets) "
            "with the same events, in one process and in turns with it: median, in brackets the 10th and 90th "
            "percentile of {rounds} rounds, then the ratio to the bare pipeline of the same round. A whole answer has "
            "{whole} chunks of text, a streamed request one; a further chunk is the mean of {chunks} that follow the "
            "first."
        ),
        (
            "与裸流程(无准入、无账目、无套接字)在同一进程内轮流测量,事件相同:解码请求和编码答案所增加的 CPU。"
            "数值为 {rounds} 轮的中位数,括号内为第 10 和第 90 百分位,其后是与同一轮裸流程之比。非流式答案含 {whole} "
            "个文本块,流式请求含一块;“后续一块”是首块之后 {chunks} 块的平均值。"
        ),
    ),
    "bare": ("bare pipeline", "裸流程"),
    "whole_request": ("whole answer, a request", "非流式,每次请求"),
    "streamed_request": ("streamed, a request", "流式,每次请求"),
    "chunk_text": ("a further chunk of text", "后续一块:文本"),
    "chunk_reasoning": ("a further chunk of reasoning", "后续一块:思考内容"),
    "chunk_tool_call": ("a further chunk of a tool call", "后续一块:工具调用"),
    "chunk_logprobs": ("a further chunk of text with 5 top logprobs", "后续一块:文本及 5 个候选 logprobs"),
    "openai": ("OpenAI", "OpenAI"),
    "dashscope_incremental": ("DashScope, incremental", "DashScope,增量"),
    "dashscope_cumulative": ("DashScope, cumulative", "DashScope,累积"),
    "anthropic": ("Anthropic", "Anthropic"),
    "ledger": ("The ledger, from journal to books", "账本:从日志到账目"),
    "ledger_note": (
        (
            "Settlements are read from the journal and posted in transactions of {batch}, each on the disk before the "
            "next begins; {calls} calls of 400 keys a round, medians of {rounds} rounds. The posting process has one "
            "core, the server of PostgreSQL the other."
        ),
        (
            "从日志读取结算并入账,每个事务 {batch} 条,落盘后才开始下一个;每轮 {calls} 次调用(400 个密钥),"
            "取 {rounds} 轮的中位数。入账进程占一个核心,PostgreSQL 服务端占另一个。"
        ),
    ),
    "posted_a_second": ("calls a second, sustained", "每秒入账次数,持续"),
    "posted_a_second_p10": ("the same, 10th percentile of the rounds", "同上,各轮的第 10 百分位"),
    "posted_cpu_us": ("CPU of the posting process, µs a call", "入账进程的 CPU,微秒/次"),
    "posted_server_cpu_us": ("CPU of the database server, µs a call", "数据库服务端的 CPU,微秒/次"),
    "one_stream": ("1 stream", "1 路流"),
    "eight_streams": ("8 streams", "8 路流"),
    "quick_run": (
        "A quick run: its figures are a first impression, not results.",
        "快速运行:数据仅供初步参考,不作为结果。",
    ),
}


def say(key: str, language: Language) -> str:
    """Return the words of a key."""
    return WORDS[key][language]
