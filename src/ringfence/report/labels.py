"""The words of the page, in both languages; {} are filled in."""

import re
from typing import Final

from ringfence.report.scam_labels import SCAM_LABELS
from ringfence.report.words import Both

LABELS: Final[dict[str, Both]] = {
    key: Both(*pair)
    for key, pair in {
        # head
        "title": ("Ringfence: report of a scan", "Ringfence：话单分析报告"),
        "name": ("Ringfence", "Ringfence"),
        "contents": ("Contents", "目录"),
        "headline_none": ("No flood of calls was found", "未发现呼死你攻击"),
        "headline_one": ("One line was flooded with calls", "1 个号码遭到呼死你攻击"),
        "headline_many": ("{lines} lines were flooded with calls", "{lines} 个号码遭到呼死你攻击"),
        "lead": (
            "{calls} calls in {files} were read, from {first} to {last}.",
            "已分析{files}中的 {calls} 通呼叫，时间自 {first} 至 {last}。",
        ),
        "lead_empty": ("There were no calls in {files}.", "{files}中没有呼叫记录。"),
        "files_one": ("one file", " 1 个文件"),
        "files_many": ("{n} files", " {n} 个文件"),
        "zone": ("Times are in {zone}.", "时间均为 {zone}。"),
        "unfinished_title": ("The scan was interrupted", "分析中断"),
        "unfinished": (
            "This page shows what had been read until then. Calls after that moment are not judged, and a flood that seems to go on may be over.",
            "本页只包含中断之前读取的内容。此后的呼叫未经分析；显示为仍在持续的攻击可能已经结束。",
        ),
        # nothing found
        "calm": (
            "No line in these records was rung the way a flood rings: again and again within minutes, by withheld or new numbers with which nobody talks.",
            "在这批话单中，没有号码出现呼死你的特征：短时间内被隐藏号码或不断更换的陌生号码反复拨打，却无人真正通话。",
        ),
        "calm_limits": (
            "Only calls that stand in the records were seen. If someone says that the phone does not stop ringing, look whether the line and the hours are in them.",
            "本结论仅针对话单中已有的呼叫。如有机主反映电话响个不停，请核对话单是否包含该号码及相应时段。",
        ),
        "calm_empty": (
            "There was nothing to judge. See below which rows were put aside and why.",
            "没有可供分析的呼叫。被剔除的记录及原因见下文。",
        ),
        # table of floods
        "floods": ("Floods", "呼死你攻击"),
        "floods_caption": (
            "Lines that were flooded, in the order in which it was recognised.",
            "遭到攻击的号码，按识别先后排列。",
        ),
        "only_top": (
            "The {n} with the most evidence are described in full further down; the others stand in this table only.",
            "证据最充分的 {n} 起在下文详细说明，其余仅列于此表。",
        ),
        "line": ("Line", "被叫号码"),
        "recognised": ("First recognised", "首次识别"),
        "calls": ("Calls", "呼叫次数"),
        "state": ("State", "当前状态"),
        "certainty": ("Certainty", "可信度"),
        "at_call": (
            "at the {nth} call, {delay} after the first ({began})",
            "第 {n} 通时，距首通（{began}）{delay}",
        ),
        "n_calls": ("{n} calls", "{n} 通"),
        "within": ("within {length}", "历时 {length}"),
        "going_on": ("still going on when the records end", "话单结束时仍在持续"),
        "over": ("quiet since {last}", "{last} 后停止"),
        "closed_after": ("closed after {quiet} of quiet", "静默 {quiet}后解除预警"),
        "returned_once": ("it returned once", "其后又发生 1 次"),
        "returned": ("it returned {k} times", "其后又发生 {k} 次"),
        "probable": ("{p} probable", "概率 {p}"),
        "n_bits": ("{n} bits", "证据值 {n}"),
        "form": ("form: {form}", "方式：{form}"),
        "overview": ("All floods on one time line", "全部攻击的时间线"),
        "overview_note": (
            "A bar lasts from the first to the last call of an attack; the dark mark is the moment it was recognised.",
            "横条表示攻击从首通到末通的时段，深色竖线为识别时刻。",
        ),
        "overview_more": ("The first {n} are drawn.", "图中仅显示前 {n} 起。"),
        "overview_row": ("{line}: {began} to {last}", "{line}：{began} 至 {last}"),
        # one flood
        "headline_alerts": ("{n} alerts", "{n} 条预警"),
        # forged caller ids
        "headline_both": (
            "{others}; calls with forged numbers: {calls}",
            "{others}；另有 {calls} 通改号呼叫",
        ),
        "headline_forged": ("{calls} calls with forged numbers", "{calls} 通改号呼叫"),
        "headline_forged_one": ("One call with a forged number", "1 通改号呼叫"),
        "forged": ("Forged caller ids", "改号来电"),
        "forged_lead": (
            "{calls} calls showed numbers that they cannot have come from: {numbers} different ones.",
            "{calls} 通呼叫的显示号码不可能为真实主叫，涉及 {numbers} 个号码。",
        ),
        "forged_lead_one": (
            "One call showed a number that it cannot have come from.",
            "1 通呼叫的显示号码不可能为真实主叫。",
        ),
        "forged_files": (
            "All of them stand in trunks.csv; a letter to the operator of each trunk lies in the folder trunks.",
            "全部呼叫见 trunks.csv；致各中继运营商的函件在 trunks 文件夹中。",
        ),
        "forged_trunks": ("Where they came in.", "呼入中继。"),
        "forged_reasons": ("What is wrong with them.", "异常原因。"),
        "forged_numbers": ("Numbers shown most often.", "显示最多的号码。"),
        "forged_owners": (
            "The numbers' owners did not make these calls and often know nothing of them.",
            "上述呼叫并非号码机主所为，机主往往并不知情。",
        ),
        "trunk": ("Trunk", "中继"),
        "no_trunk": ("not recorded", "未记录"),
        "of_all": ("{share} of its calls", "占其呼叫的 {share}"),
        "story_on": ("{what}: {line}", "{what}，号码 {line}"),
        "flood_on": ("Flood on {line}", "{line} 遭呼死你攻击"),
        "story": (
            "Recognised at the {nth} call, {delay} after the first. {calls} calls in {length}; {state}.",
            "第 {n} 通时识别，距首通 {delay}。共 {calls} 通，历时 {length}；{state}。",
        ),
        "episode_first": ("The attack", "攻击经过"),
        "episode_again": ("It returned after {quiet} of quiet", "静默 {quiet}后再次发生"),
        "first_calls": ("The first calls, one by one; {day}", "最初的呼叫，逐通显示；{day}"),
        "recognised_at": ("recognised at the {nth} call", "第 {n} 通时识别"),
        "after_first": ("{delay} after the first", "距首通 {delay}"),
        "sum": ("evidence so far", "累计证据"),
        "threshold": ("threshold, {n} bits", "阈值 {n}"),
        "worth": ("what each call was worth", "每通呼叫的证据值"),
        "earlier_one": (
            "One earlier call counted too; it came long before and stands in the ledger only.",
            "另有 1 通较早的呼叫也计入证据，因间隔较长未在图中画出，见判定依据。",
        ),
        "earlier": (
            "{n} earlier calls counted too; they came long before and stand in the ledger only.",
            "另有 {n} 通较早的呼叫也计入证据，因间隔较长未在图中画出，见判定依据。",
        ),
        "whole_caption": (
            "The whole attack: calls in every {each}, at most {most}.",
            "攻击全程：每 {each}的呼叫次数，最多 {most} 通。",
        ),
        "night_note": ("Shaded: night, 22:00 to 06:00.", "阴影：夜间 22:00 至 6:00。"),
        "dropped_entries": (
            "{n} further observations were counted but not kept; pictures and callers below show what was kept.",
            "另有 {n} 条观测只计数、未保留；图表和主叫统计以保留的部分为准。",
        ),
        "not_kept": ("The calls of this part were not kept.", "此段的呼叫未保留。"),
        # legend
        "dropped": ("dropped when answered", "接通即挂"),
        "rang_out": ("never answered", "无人接听"),
        "rang_once": ("rang once", "响一声即挂"),
        "talked": ("a conversation", "有效通话"),
        "lingered": ("stayed without talking", "接通后未交谈"),
        "engaged": ("line engaged", "占线"),
        "unknown": ("end not known", "结果不明"),
        "again": ("the same number again", "同一号码再次来电"),
        "against": ("against an attack", "排除依据"),
        "for": ("for an attack", "支持依据"),
        # ledger
        "ledger": ("The evidence in words", "判定依据"),
        "ledger_caption": (
            "What was seen until the alert, and what it was worth.",
            "预警前的逐项观测及其证据值。",
        ),
        "time": ("Time", "时间"),
        "caller": ("Caller", "主叫号码"),
        "what": ("What was seen", "识别情况"),
        "bits": ("Bits", "证据值"),
        "total": ("Sum", "累计"),
        "bits_meaning": (
            "{n} bits: at most about 1 in {odds} such stretches on an ordinary line would look like this.",
            "证据值 {n}：在普通号码上，大约每 {odds} 段类似时段中至多有 1 段会呈现这种情形。",
        ),
        "probability_meaning": (
            "{p} probable: this also allows for how rare floods are, about one burst of strange calls in {prior}.",
            "概率 {p}：已考虑此类攻击本身罕见，约每 {prior} 次陌生来电集中出现才有 1 次是攻击。",
        ),
        # callers
        "callers": ("Who rang, and from where", "来电号码及归属地"),
        "callers_lead": (
            "{calls} calls: {withheld} with the number withheld, the others from {numbers} different numbers.",
            "共 {calls} 通：隐藏号码 {withheld} 通，其余来自 {numbers} 个不同号码。",
        ),
        "forged_note": (
            "Place and operator are what the shown number claims; such numbers are often forged, and their owners often know nothing of it.",
            "归属地和运营商按所显示的号码推断；此类号码往往经改号软件伪造，号码的真正机主往往并不知情。",
        ),
        "places_caption": ("Where the shown numbers belong.", "来电显示号码的归属地。"),
        "top_caption": ("The numbers that rang most often.", "来电最多的号码。"),
        "place": ("Place and type", "归属地与类型"),
        "numbers": ("Numbers", "号码数"),
        "number": ("Number", "号码"),
        "first": ("First", "首次"),
        "last": ("Last", "末次"),
        "silent": ("Nobody talked", "未通话占比"),
        "more_numbers": ("And {n} more numbers.", "另有 {n} 个号码。"),
        "more_places": ("And {n} more places.", "另有 {n} 个归属地。"),
        # texts
        "texts": ("Texts that demand money", "勒索、诈骗短信"),
        "texts_lead": (
            "Texts that their recipients handed over and that demand money with a threat or by deceit. What was found in them is marked.",
            "收信人主动提供、以威胁或欺骗手段索要钱款的短信，识别出的内容已标出。",
        ),
        "text_on": ("Text to {line}", "发给 {line} 的短信"),
        "text_sent": ("{time}, from {sender}", "{time}，发送号码 {sender}"),
        "text_times": ("told in {n} texts", "同一要求共 {n} 条短信"),
        "text_flood": ("belongs to the flood on this line", "与该号码遭受的呼死你攻击同属一案"),
        "text_cut": ("The text is longer.", "短信内容较长，此处未全部显示。"),
        "texts_more": ("And {n} more, in alerts.jsonl.", "另有 {n} 条，见 alerts.jsonl。"),
        "text_evidence": ("What it was judged by", "判定依据"),
        "demand": ("What is demanded", "勒索内容"),
        "demand_sum": ("sum", "金额"),
        "demand_account": ("account", "收款账户"),
        "demand_deadline": ("deadline", "期限"),
        "demand_threat": ("threat", "威胁"),
        "not_named": ("not named", "未写明"),
        "sum_bare": ("{amount} (no currency named)", "{amount}（未写明币种）"),
        "headline_text_one": ("One text that demands money", "1 条勒索、诈骗短信"),
        "headline_texts": ("{n} texts that demand money", "{n} 条勒索、诈骗短信"),
        "headline_and": ("{one}; {other}", "{one}；另有 {other}"),
        "lead_texts": ("{n} texts in {files} were read.", "已分析{files}中的 {n} 条短信。"),
        # what to do
        "next": ("What to do next", "处置建议"),
        "next_person": ("The person under attack", "机主"),
        "next_squad": ("The squad and the operator", "民警与运营商"),
        # the scan
        "about": ("About this scan", "分析说明"),
        "files_caption": ("What was read.", "读取的文件。"),
        "file": ("File", "文件"),
        "format": ("Format", "格式"),
        "rows": ("Rows", "行数"),
        "rejected": ("Put aside", "剔除"),
        "speed": (
            "The scan took {time}: {calls} calls, {rate} a second.",
            "分析用时 {time}：{calls} 通呼叫，每秒 {rate} 通。",
        ),
        "lines_seen": ("{n} called numbers were watched.", "共涉及 {n} 个被叫号码。"),
        "country": (
            "Numbers without a country code were read as those of {country}.",
            "未带国家代码的号码按 {country} 处理。",
        ),
        "none_rejected": ("No row was put aside.", "没有剔除的记录。"),
        "rejected_caption": (
            "Rows put aside; they stand in rejected.jsonl with their place.",
            "剔除的记录，位置见 rejected.jsonl。",
        ),
        "reason": ("Reason", "原因"),
        "notes_caption": ("Repaired or noticed while reading.", "读取时修正或留意到的情况。"),
        "note": ("What", "情况"),
        "colophon": (
            "Ringfence looks at who rang whom and when, never at what was said. This page needs no network and holds telephone numbers: keep it as carefully as the records.",
            "Ringfence 只分析谁在何时呼叫了谁，不涉及通话内容。本页无需联网；页中含有电话号码，请与原始话单同等妥善保管。",
        ),
    }.items()
} | SCAM_LABELS

PERSON: Final = tuple(
    Both(*pair)
    for pair in (
        (
            "Do not pay. Paying has not stopped such calls: one man was rung for four more days after he had paid.",
            "不要付款。付款并不能让骚扰停止：曾有受害人付款后仍被持续呼叫四天。",
        ),
        (
            "Keep everything: the list of calls, and above all any text that names a price or an account.",
            "保留证据：通话记录，尤其是写明金额或收款账户的短信，请勿删除。",
        ),
        (
            "Report it to the police (110 in mainland China) and bring this page and the text.",
            "拨打 110 报警，并提供本报告和相关短信。",
        ),
        (
            "Ask your operator for emergency communication protection (来电应急防护). You can keep your number and your phone on.",
            "联系运营商开通“来电应急防护”。无需更换号码，也不必关机。",
        ),
        ("Do not ring back withheld or unknown numbers.", "不要回拨陌生号码。"),
        (
            "If money has already been sent, tell the bank and the police at once, so that the payment can be stopped.",
            "如已转账，请立即联系银行并报警，申请紧急止付。",
        ),
    )
)

SQUAD: Final = tuple(
    Both(*pair)
    for pair in (
        (
            "Turn on emergency protection for the lines above: the network answers strangers first, contacts come through.",
            "为上述号码开通来电应急防护：陌生来电先由网络侧应答，熟人来电正常接入。",
        ),
        (
            "Save the original records of these calls, with trunk, gateway and signalling, before they are overwritten.",
            "及时固定这些呼叫的原始话单（含中继、网关和信令），以免被覆盖。",
        ),
        (
            "Ask the person for the text with the demand. The account in it is where payments can be stopped.",
            "向机主了解是否收到勒索短信；短信中的收款账户可用于紧急止付和冻结。",
        ),
        (
            "Put small cases together. One account, trunk or set of numbers often has many victims.",
            "小额案件也应串并侦查：同一账户、同一中继或同一批号码往往涉及多名受害人。",
        ),
        (
            "Watch these lines for another week: such attacks come back after days of quiet.",
            "继续关注这些号码一周：此类攻击常在停止数日后再次发生。",
        ),
    )
)

NOTES: Final = {
    key: Both(*pair)
    for key, pair in {
        "repeated": ("the same call told twice; counted once", "重复的呼叫记录，只计一次"),
        "late": ("a record that came late or out of order", "迟到或乱序的记录"),
        "dst_gap": ("a local time that does not exist (clocks went forward)", "夏令时开始时不存在的当地时间"),
        "dst_fold": ("a local time that happened twice (clocks went back)", "夏令时结束时重复的当地时间"),
        "clock_jump": ("times out of order by up to an hour, put right", "时间先后颠倒（一小时以内），已修正"),
        "bad_optional_value": ("a value that cannot be read in a column that may be empty; left empty", "可选列中无法识别的值，按空值处理"),
        "other_methods": ("a SIP record that is neither the start nor the end of a call", "与呼叫起止无关的 SIP 记录"),
        "cdr_without_call_id": ("a record without the id of its call", "缺少呼叫标识的话单"),
        "open_calls_dropped": ("an answered call whose end could not be waited for", "已接通但未等到结束记录的呼叫"),
        "held_calls_early": ("an unanswered call judged before all of its records were there", "未等齐记录即处理的未接呼叫"),
        "bye_without_invite": ("the end of a call whose start is not in the files", "只有结束、没有开始的呼叫"),
        "other_lines": ("a line of the log that is about something else", "与呼叫无关的日志行"),
        "doubled": ("a record that came twice", "重复出现的记录"),
        "b_leg_alone": ("a call known from its second leg only", "只有被叫侧记录的呼叫"),
        "texts_read": ("a text that was handed over; it was read", "收信人提供内容的短信，已分析"),
        "texts_without_body": ("a text whose words nobody handed over; only counted", "未提供内容的短信，只计数"),
        "texts_repeated": ("an alarming text that came twice; counted once", "重复出现的可疑短信，只计一次"),
        "texts_not_asked_for": ("a text; no detector of texts was asked for", "短信记录，本次未启用短信检测"),
        "texts_beyond_limit": ("an alarming text beyond the number that is kept", "超出保留上限的可疑短信"),
        "transfers_read": ("a bank transfer", "转账记录"),
        "transfers_repeated": ("a bank transfer that was told already; counted once", "重复的转账记录，只计一次"),
        "transfers_not_asked_for": ("a bank transfer; scam_call, which reads transfers, was not asked for", "转账记录，而未启用读取转账的检测器 scam_call"),
        "unset_time": ("a time written as zero, taken for never", "以零值表示“无”的时间，按空值处理"),
        "key_twice": ("a record that names the same key twice; the first counts", "同一字段出现两次的记录，以首次为准"),
    }.items()
}  # fmt: skip

ACCOUNT_KINDS: Final = {
    key: Both(*pair)
    for key, pair in {
        "bank card": ("bank card", "银行卡"), "bank account": ("bank account", "银行账户"), "IBAN": ("IBAN", "IBAN 账户"),
        "Alipay": ("Alipay", "支付宝"), "WeChat": ("WeChat", "微信"), "QQ": ("QQ", "QQ"), "phone number": ("phone number", "手机号"),
        "e-mail": ("e-mail", "电子邮箱"), "gift card": ("gift card", "礼品卡"), "Bitcoin": ("Bitcoin wallet", "比特币钱包"),
        "Ethereum": ("Ethereum wallet", "以太坊钱包"), "TRON": ("TRON wallet", "波场钱包"),
    }.items()
}  # fmt: skip
"""Words for the kinds of account a text can name; others are names and stand for themselves."""

_REASONS: Final = (
    (r"(\S+) is missing", r"缺少 \1"),
    (r"(\S+) is not a time between 1990 and 2100", r"\1 不是 1990 至 2100 年之间的时间"),
    (r"(\S+) is neither text nor a whole number", r"\1 既非文本也非整数"),
    (r"(\S+) is more than an hour before (\S+)( or \S+)?", r"\1 比 \2 早一小时以上"),
    (r"the line is longer than 1 MiB", r"该行超过 1 MiB"),
    (r"no called number", r"缺少被叫号码"),
    (r"no recipient", r"缺少收信号码"),
    (
        r"begins before calls already judged.*",
        r"开始时间早于已分析的呼叫：请先按时间排序，或调大 --reorder-rows",
    ),
)


def note(name: str) -> Both:
    """The words for a count of `Summary.notes`."""
    return NOTES.get(name, Both(name, name))


def reason(text: str) -> Both:
    """The words for why a row was put aside."""
    for pattern, chinese in _REASONS:
        if found := re.fullmatch(pattern, text):
            return Both(text, found.expand(chinese))
    return Both(text, text)


def fill(key: str, **values: Both | str | float) -> Both:
    """A label with its figures."""
    label = LABELS[key]
    both = {name: v if isinstance(v, Both) else Both(str(v), str(v)) for name, v in values.items()}
    return Both(
        label.en.format(**{name: v.en for name, v in both.items()}),
        label.zh.format(**{name: v.zh for name, v in both.items()}),
    )
