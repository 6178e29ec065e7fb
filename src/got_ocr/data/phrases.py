"""Short made-up wording for tables, charts and pages: labels, people, places. Knows no layout and no picture.

English words come from a corpus split; Chinese ones from jieba's dictionary where it is installed, else from a
short list of our own. Every function takes `rng` first.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np

from got_ocr.data import corpus
from got_ocr.data.charset import chinese

T = TypeVar("T")
Rng = np.random.Generator


def _words(*lines: str) -> tuple[str, ...]:
    return tuple(word for line in lines for word in line.split())


_WORD = re.compile(r"[^\w]*([A-Za-z][a-z]{2,11})[^\w]*")
MONTHS = _words("January February March April May June July August September October November December")
DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
FIRST_NAMES = _words(
    "Ada Alan Amara Anna Ben Carla Chen Clara David Elena Emil Farid Fatima Grace Hana Hugo Ines Ivan Jonas Kofi",
    "Lena Liam Lucia Maria Marta Mei Nadia Noor Olga Omar Paul Priya Rosa Sara Sofia Tom Uma Victor Wei Yuki Zoe",
)
LAST_NAMES = _words(
    "Abbot Baker Becker Costa Diaz Dubois Eriksen Fischer Garcia Haddad Hansen Ito Jensen Kaya Khan Kim Kowalski",
    "Lang Li Lopez Martin Meyer Moreau Nakamura Novak Okafor Olsen Park Patel Petrov Rossi Sato Schmidt Silva",
    "Singh Smith Tanaka Torres Vega Wang Weber Wood Young Zhang",
)
PLACES = _words(
    "Accra Athens Austin Berlin Bogota Boston Cairo Chile China Delhi Denver Dublin France Ghana Hanoi Havana",
    "India Italy Japan Jakarta Kenya Lagos Lima Lisbon London Lyon Madrid Mexico Milan Mumbai Nepal Norway Osaka",
    "Oslo Paris Peru Poland Prague Quito Rome Seoul Spain Sydney Tokyo Toronto Turkey Vienna Warsaw Zurich",
)
_ZH_OWN = _words(
    "合计 总计 平均 数量 单价 金额 日期 姓名 部门 地区 产品 型号 规格 备注 编号 名称 类别 比例 增长率 收入 支出",
    "利润 成本 销售额 年份 季度 月份 北京 上海 广州 深圳 杭州 成都 武汉 南京 西安 重庆 天津 苏州 电子 机械 化工",
    "农业 工业 服务业 教育 医疗 交通 能源 水泥 钢铁 煤炭 石油 天然气 人口 面积 温度 湿度 速度 时间 距离 重量 长度",
    "宽度 高度 密度 压力 功率 电流 电压 效率 误差 样本 方法 模型 结果 参数 准确率 召回率 训练 测试 验证 数据集",
    "学生 教师 课程 成绩 语文 数学 英语 物理 化学 生物 历史 地理 音乐 体育 美术 张伟 王芳 李娜 刘洋 陈静 杨帆 赵磊",
    "黄丽 周杰 吴敏 项目 计划 完成 进度 负责人 开始 结束 状态 正常 异常 优秀 良好 合格 不合格 公司 客户 订单 库存",
    "采购 运输 仓库 质量 检验 标准 等级 颜色 材料 用途 价格 市场 品牌 广告 渠道 投资 贷款 存款 利率 股票 债券 基金",
    "保险 税收 预算 决算 资产 负债 权益 现金 流量 城市 农村 东部 西部",
)


def pick(rng: Rng, options: Sequence[T]) -> T:
    """Choose one option."""
    return options[int(rng.integers(len(options)))]


def word(rng: Rng, split: str) -> str:
    """Draw one English word of 3 to 12 letters, in small letters."""
    for _ in range(20):
        found = _WORD.fullmatch(corpus.word(split, rng))
        if found is not None:
            return found.group(1).lower()
    return pick(rng, PLACES).lower()


def phrase(rng: Rng, split: str, low: int, high: int) -> str:
    """Draw `low` to `high` words, the first with a capital; now and then all with capitals."""
    words = [word(rng, split) for _ in range(int(rng.integers(low, high + 1)))]
    if rng.random() < 0.4:
        return " ".join(part.capitalize() for part in words)
    return " ".join(words).capitalize()


def person(rng: Rng) -> str:
    """Draw a name of a person who does not exist."""
    first = pick(rng, FIRST_NAMES)
    return f"{first[0]}. {pick(rng, LAST_NAMES)}" if rng.random() < 0.3 else f"{first} {pick(rng, LAST_NAMES)}"


def zh_word(rng: Rng) -> str:
    """Draw one Chinese word of 2 to 4 characters."""
    return pick(rng, _zh_words())


@lru_cache(maxsize=1)
def _zh_words() -> tuple[str, ...]:
    spec = find_spec("jieba")
    path = Path(spec.origin).parent / "dict.txt" if spec is not None and spec.origin else None
    if path is None or not path.is_file():
        return _ZH_OWN
    rows = (line.split(" ") for line in path.read_text(encoding="utf-8").splitlines())
    common = [row[0] for row in rows if len(row) >= 2 and 2 <= len(row[0]) <= 4 and int(row[1]) >= 100]
    allowed = chinese()
    return tuple(part for part in common if allowed.issuperset(part)) or _ZH_OWN
