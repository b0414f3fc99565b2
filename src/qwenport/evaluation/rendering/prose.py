"""Sentences that mean little, by chance."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final

_PARTS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "zh-Hans": (
        ("项目小组", "公司管理层", "社区居民", "学校老师", "值班工程师", "图书馆", "市场部门", "研究人员"),
        ("在上周", "于三月初", "经过讨论", "按照计划", "根据反馈", "在会议上", "为提高效率"),
        ("完成了", "重新整理了", "公布了", "检查了", "改进了", "认真分析了", "提交了"),
        ("年度预算报告", "客户服务流程", "公共交通线路图", "新的操作手册", "仓库安全制度", "实验数据", "阅读活动方案"),
        (
            "，并邀请各方提出意见。",
            "，相关工作将于下月继续。",
            "，其中共有{n}项需要跟进。",
            "，整体进度达到百分之{n}。",
            "，结果令人满意。",
        ),
    ),
    "zh-Hant": (
        ("項目小組", "公司管理層", "社區居民", "學校老師", "值班工程師", "圖書館", "市場部門", "研究人員"),
        ("在上週", "於三月初", "經過討論", "按照計劃", "根據反饋", "在會議上", "為提高效率"),
        ("完成了", "重新整理了", "公佈了", "檢查了", "改進了", "仔細分析了", "提交了"),
        ("年度預算報告", "客戶服務流程", "公共交通路線圖", "新的操作手冊", "倉庫安全制度", "實驗數據", "閱讀活動方案"),
        (
            "，並邀請各方提出意見。",
            "，相關工作將於下月繼續。",
            "，其中共有{n}項需要跟進。",
            "，整體進度達到百分之{n}。",
            "，結果令人滿意。",
        ),
    ),
    "en": (
        (
            "The project team",
            "The library",
            "A group of residents",
            "The harbour office",
            "Our supplier",
            "The research staff",
        ),
        (" recently", " carefully", " once more", " in early March", " after some debate", " as planned"),
        (" reviewed", " completed", " published", " improved", " checked", " presented"),
        (
            " the annual budget",
            " a new safety manual",
            " the bus timetable",
            " the storage rules",
            " the reading programme",
        ),
        (
            " and asked for comments. ",
            ", of which {n} points remain open. ",
            " before the end of week {n}. ",
            " with good results. ",
        ),
    ),
}


def sentence(language: str, chance: Random) -> str:
    """One sentence; an English one ends with a space."""
    words = "".join(chance.choice(part) for part in _PARTS[language])
    return words.format(n=chance.randrange(12, 99))


def passage(language: str, sentences: int, chance: Random) -> str:
    """Some sentences."""
    return "".join(sentence(language, chance) for _ in range(sentences)).strip()
