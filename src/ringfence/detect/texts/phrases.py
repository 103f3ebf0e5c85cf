"""What the words of a text are made of: classes of words, and how two of them stand together.

A threat is not a phrase but a deed done to somebody (`near(DEEDS, OTHERS)`), or calls that do not end; there are more ways to say either than a list
can hold, and fewer words to say them with.
"""

import re
from dataclasses import dataclass
from typing import Final

Bits = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that tell something.

    Attributes:
        name: of the piece, in `places`.
        words: in English and Chinese, for the ledger.
        bits: for each form.
        pattern: in plain text.
    """

    name: str
    words: tuple[str, str]
    bits: Bits
    pattern: re.Pattern[str]


def phrase(name: str, english: str, chinese: str, bits: Bits, *patterns: str) -> Phrase:
    """A phrase of several patterns; in English ones (all but the first) words begin where a word begins."""
    joined = "|".join([patterns[0], *(rf"(?<![a-z])(?:{pattern})" for pattern in patterns[1:])])
    return Phrase(name, (english, chinese), bits, re.compile(joined))


def near(first: str, second: str, gap: int = 10) -> str:
    """One class of words and then another, in one sentence, at most so many characters apart."""
    return rf"(?:{first})[^。.!！?？\n]{{0,{gap}}}(?:{second})"


def clause(first: str, second: str, gap: int = 10) -> str:
    """The same within one clause: a comma parts what is done from whom it is done to."""
    return rf"(?:{first})[^。.!！?？\n,，]{{0,{gap}}}(?:{second})"


def either(first: str, second: str, gap: int = 10) -> str:
    """Two classes of words in one sentence, in either order."""
    return f"{near(first, second, gap)}|{near(second, first, gap)}"


PEOPLE_ZH: Final = (
    "家人|全家|家里|家属|[你您][爹爸妈哥姐弟妹娃]|爸妈|父母|父亲|母亲|老爸|老妈|老婆|老公|老人|老头|老豆|孩子|小孩|[你您]娃|女儿|儿子|闺女|阿[妈嬷嬤公]|亲戚|亲友|亲朋|丈母娘|丈人|岳|媳妇|嫂子"
    "|对象|女朋友|男朋友|女友|男友|[弟妹哥姐姑舅叔伯姨]|屋企|同事|同学|同行|单位|公司|领导|老板|上司|前台|人事|(?<![a-z])hr(?![a-z])|厂里|店|学校|老师|班主任|导师|村|邻居|街坊|小区|全楼|客户|顾客|担保人"
    "|通讯录|联系人|每一?个号|朋友圈|好友|朋友|群里?|粉丝|全网|网上|所有人|大家|身边的?人"
)
"""Those near a person, and those before whom he has a name to lose."""
DEEDS_ZH: Final = (
    "打(?!钱|款|车|了|算|卡|工|球|折|给你|到卡|在卡|入)|呼|轰|炸|发(?!货|票|了|来|你|现)|寄(?!到|件)|贴|公布|推送|公开|曝光|知道|晓得|清楚|看到|看见|看看|看得?见|欣赏|围观|收到|接到|通知|告诉|问候|问好|问一?遍|找(?!人|不|零)|拜访|走访|上门|外访|堵|闹|守|蹲|横幅|传单|喇叭|大字报|张贴|泼|接电话|轮到|轮着"
    "|小心|好看|麻烦|遭殃|安生|安宁|安心|一起|指望|不知道|一个不落|挨个|逐个|挨家|要钱"
)
PEOPLE_EN: Final = (
    r"(?:(?:your|ur|you|ya|yr|his|her|all|every|the) ?(?:\w+ ){0,2}?)(?:boss|manager|ex|relatives?|sister|brother|father|dad|mum|mom|mother|nan|gran\w*|family|kids?|kid'?s|son|daughter|boy|girl|wife|husband|missus|partner"
    r"|workplace|work|job|office|school|contacts?|contact list|employer|friends?|followers|colleagues|co-?workers|neighbou?rs?|customers?|clients?|street|village|relations|society|super|church|in-?laws?|landlord|hr)(?![a-z])"
)
DEEDS_EN: Final = r"(?:call|ring|text|visit|phon|see|tell|told|know|hear|read|find|get|receiv|send|sent|post|sit|stand|wait|copy|copies|circulat|shar|e-?mail|messag|next|talk|inform|spread|leak|publish|go(?:es)? to|come|contact|start)(?:s|es|ed|ing|t)?(?![a-z])"
CALLS_ZH: Final = "电话|手机|座机|机子|话机|热线|铃|号码?|来电|短信|骚扰|线路"
RING_ZH: Final = "打|呼|响|轰|炸|拨|嘈|吵|闹|call|ring"
CALLS_EN: Final = r"(?:calls?|calling|ring(?:s|ing)?|phones?|telephones?|dial\w*|lines?|hotline|bots?|robo\w*|autodial\w*|switchboard|desk|mobile|cell)(?![a-z])"
ENDLESS_EN: Final = r"(?:go(?:es)? on|continu\w+|keeps?|never|won'?t stop|will not stop|don'?t stop|do not stop|does ?n[o']t stop|doubl\w+|forever|all (?:day|night|week)|busy|dead|non-?stop|every \w+|until|till?|resum\w+|melt|explod\w+|24/?x?7|nobody|can'?t get through|cannot get through|flood\w*|blow\w*|jam\w*|worse|round the clock)(?![a-z])"
PAY_ZH: Final = "打|转|付|给|交|汇|缴|还|钱|款|到账|收到|处理|加|俾|配合|支付"
UNPAID_ZH: Final = rf"(?:不|没|未|唔|冇|拒)(?:{PAY_ZH}|见|到|看到|处理|理|听|来|回)"
PICTURES_ZH: Final = (
    "照片|视频|录像|录屏|录音|截图|聊天记录|开房|相册|裸照?|不雅|p图|丑事|把柄|身份证照?|你的脸|私密|隐私"
)
PICTURES_EN: Final = r"(?:nudes?|photos?|pics?|pictures?|vids?|videos?|clips?|recordings?|footage|screenshots?|chats?|selfies?|webcam|images?|dms)(?![a-z])"
