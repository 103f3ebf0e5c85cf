"""The words of the desk, in both languages; {} are filled in. Those of pictures and ledgers are the report's."""

from typing import Final

from ringfence.report.labels import LABELS as REPORT
from ringfence.report.words import Both

LABELS: Final[dict[str, Both]] = {
    key: Both(*pair)
    for key, pair in {
        "desk_title": ("Ringfence: desk", "Ringfence：值守台"),
        "desk_name": ("Ringfence", "Ringfence"),
        # head
        "desk_demo": (
            "A synthetic city, told at {speed} times the speed of life. Nobody in it is real.",
            "模拟城市数据，以 {speed} 倍速播放，所有号码和人物均为虚构。",
        ),
        "desk_time": ("Time in the network", "话单时间"),
        "desk_zone": ("Times are in {zone}.", "时间均为 {zone}。"),
        "desk_rate": ("Calls a second", "每秒呼叫"),
        "desk_rate_picture": ("calls a second, the last {span}", "最近 {span}每秒呼叫数"),
        "desk_lag": ("Lag", "延迟"),
        "desk_lag_note": ("from happening to arriving", "从发生到接入"),
        "desk_delay": ("Time to alert, 99%", "预警时延（P99）"),
        "desk_behind": ("{n} records wait to be judged", "{n} 条记录待分析"),
        "desk_level": ("everything is judged", "已全部分析"),
        "desk_aside": ("Rows put aside", "剔除的记录"),
        "desk_aside_most": ("most often: {reason}", "主要原因：{reason}"),
        "desk_aside_none": ("none", "无"),
        "desk_today": ("Alerts today", "今日预警"),
        "desk_state": ("State", "运行状态"),
        "desk_waiting": ("The first rows have not come yet.", "尚未收到数据。"),
        # attacks
        "desk_now": ("Attacks now", "正在发生"),
        "desk_now_none": ("No attack is going on.", "当前没有正在发生的骚扰或诈骗。"),
        "desk_now_more": ("And {n} more; the newest are shown.", "另有 {n} 起未显示，此处为最新的若干起。"),
        "desk_over": ("Over since yesterday", "昨日以来已结束"),
        "desk_calls_so_far": ("{n} calls since {since}", "{since} 起共 {n} 通"),
        "desk_bits_now": ("{n} bits", "证据值 {n}"),
        "desk_strip": ("its calls over time, the newest on the right", "来电时间分布，右侧为最新"),
        "desk_recognised": ("recognised at the {nth} call", "第 {n} 通时识别"),
        "desk_over_since": ("over since {time}", "{time} 结束"),
        "desk_returned": ("it is back for the {nth} time", "第 {n} 次再发"),
        "desk_demand": ("A text demands {what}", "短信勒索：{what}"),
        "desk_demand_account": ("to {kind} {account}", "收款{kind} {account}"),
        "desk_demand_kind": ("by {kind}", "收款方式：{kind}"),
        "desk_demand_deadline": ("until {deadline}", "期限 {deadline}"),
        "desk_demand_bare": ("without a sum or an account", "未写明金额和账户"),
        "desk_text_to": ("{time}, to this number", "{time} 发送至该号码"),
        # scam calls
        "desk_on_call": ("on the line with them now", "正与对方通话"),
        "desk_off_call": ("not on the line with them", "当前未与对方通话"),
        "desk_reach": ("Reach the person at", "可联系"),
        "desk_cell": ("cell {cell}", "基站小区 {cell}"),
        "desk_moved": ("{sum} moved to new accounts: ask the bank to stop it", "已向陌生账户转出 {sum}：请立即联系银行止付"),
        "desk_not_moved": ("no money has moved yet that is known", "尚未发现转账，可及时劝阻"),
        "desk_missing": ("not told by the records: {what}", "话单未提供：{what}"),
        # other sections
        "desk_forged": ("Forged callers today", "今日改号来电"),
        "desk_forged_none": ("None today.", "今日暂无。"),
        "desk_forged_some": ("The newest {n} alerts are counted.", "按最新 {n} 条预警统计。"),
        "desk_lines": ("Lines of fraud", "涉诈号码"),
        "desk_lines_none": ("None is open.", "暂无。"),
        "desk_lines_more": ("And {n} more.", "另有 {n} 个。"),
        "desk_texts": ("Texts that demand money", "勒索、诈骗短信"),
        "desk_texts_none": ("None since yesterday.", "昨日以来暂无。"),
        # an alert, opened
        "desk_so_far": ("What was seen since", "预警后的观测"),
        "desk_newest": ("The newest {n} observations; the newest first.", "最新 {n} 项观测，新的在前。"),
        "desk_until": ("What was seen until the alert, and what it was worth.", "预警前的逐项观测及其证据值。"),
        "desk_who": ("{status} by {who}, {time}", "{who} 于 {time} 标为“{status}”"),
        "desk_said_why": ("Reason: {reason}", "理由：{reason}"),
        "desk_acknowledge": ("Acknowledge", "签收"),
        "desk_confirm": ("Confirm", "确认属实"),
        "desk_close": ("Close", "办结"),
        "desk_dismiss": ("Not an attack", "误报"),
        "desk_why_not": ("Why is it no attack?", "为何判定为误报？"),
        "desk_why_hint": ("It is learned from.", "理由将用于改进识别。"),
        "desk_say_so": ("Say so", "提交"),
        "desk_cancel": ("Cancel", "取消"),
        "desk_done": ("Done: {status}.", "已标为“{status}”。"),
        "desk_conflict": (
            "{who} was quicker: it is “{status}” now. Look again, then decide.",
            "{who} 已先行操作，现为“{status}”。请核对后再处理。",
        ),
        "desk_needs_reason": ("A reason is needed.", "请填写理由。"),
        "desk_gone": ("This alert is no longer there.", "该预警已不存在。"),
        "desk_not_written": ("It could not be written: {why}", "未能写入：{why}"),
        "desk_may_not": ("Your token lacks the scope {scope}.", "您的令牌没有 {scope} 权限。"),
        "desk_slower": ("Too many requests; wait a moment.", "操作过于频繁，请稍候。"),
        # search
        "desk_search": ("Look up a number", "查询号码"),
        "desk_search_hint": ("+86 138… or 138…; key /", "+86 138… 或 138…，按 / 键输入"),
        "desk_look": ("Look up", "查询"),
        "desk_no_number": ("This is no telephone number.", "这不是有效的电话号码。"),
        "desk_nothing": ("Nothing is known of it yet.", "暂无记录。"),
        "desk_as_of": ("as of {time}", "截至 {time}"),
        "desk_as_line": ("As a line that is called", "作为被叫"),
        "desk_as_caller": ("As a caller, this week", "作为主叫（近一周）"),
        "desk_habits": (
            "A day: {known} calls by people it knows, {strangers} by strangers, {withheld} withheld. Last called {last}.",
            "日均来电：熟人 {known} 通，陌生号码 {strangers} 通，隐藏号码 {withheld} 通。最近来电 {last}。",
        ),
        "desk_caller": (
            "{calls} calls to {people} people; {unanswered} unanswered, {dropped} dropped at once, {talks} conversations. Last {last}.",
            "向 {people} 个号码拨打 {calls} 通：无人接听占 {unanswered}，接通即挂占 {dropped}，有效通话 {talks} 次。最近拨出 {last}。",
        ),
        "desk_evidence": ("{bits} of {threshold} bits, {p} probable", "证据值 {bits}（阈值 {threshold}），概率 {p}"),
        "desk_evidence_over": ("{bits} bits (threshold {threshold}), {p} probable", "证据值 {bits}（阈值 {threshold}），概率 {p}"),
        "desk_its_alerts": ("Its alerts", "相关预警"),
        "desk_no_evidence": ("No detector holds anything against it.", "各模型均未发现异常。"),
        "desk_stage": ("stage: {stage}", "阶段：{stage}"),
        "desk_more_entries": ("The newest {n} of {all} observations.", "共 {all} 项观测，此处为最新 {n} 项。"),
        "desk_raised": ("raised {time}", "{time} 预警"),
        "desk_still_open": ("open", "进行中"),
        # the session
        "desk_signed_in": ("Signed in as {who}", "当前用户：{who}"),
        "desk_sign_in": ("Sign in", "登录"),
        "desk_sign_out": ("Sign out", "退出"),
        "desk_token": ("Token", "令牌"),
        "desk_token_hint": (
            "A token with the scope alerts:read, made with: ringfence token create",
            "需要具有 alerts:read 权限的令牌，由 ringfence token create 命令生成",
        ),
        "desk_token_wrong": ("This token is not valid, or lacks the scope alerts:read.", "令牌无效，或没有 alerts:read 权限。"),
        "desk_token_slow": ("Too many attempts. Wait {seconds} s.", "尝试次数过多，请 {seconds} 秒后再试。"),
        "desk_full": ("Too many pages of the desk are open. Close some, and try again.", "打开的页面过多，请关闭一些后再试。"),
    }.items()
}  # fmt: skip

STATES: Final = {
    "starting": Both("starting", "启动中"),
    "compiling": Both("compiling, 1 to 3 minutes", "首次启动，正在编译（1 至 3 分钟）"),
    "recovering": Both("recovering", "恢复中"),
    "ok": Both("running", "运行正常"),
    "degraded": Both("degraded", "运行异常"),
    "stopping": Both("stopping", "正在停止"),
}

STATUSES: Final = {
    "new": Both("new", "待处理"),
    "acknowledged": Both("acknowledged", "已签收"),
    "confirmed": Both("confirmed", "已确认"),
    "closed": Both("closed", "已办结"),
    "not_an_attack": Both("not an attack", "误报"),
}
"""What people said of an alert."""

CLASSES: Final = {
    "withheld": Both("withheld", "隐藏号码"),
    "name": Both("a name, no number", "主叫显示为名称"),
    "local": Both("local digits", "本地短号"),
    "foreign": Both("a number of another country", "境外号码"),
    "fixed": Both("a fixed line", "固定电话"),
    "mobile": Both("a mobile", "手机号码"),
    "fixed_or_mobile": Both("a fixed line or a mobile", "固话或手机"),
    "toll_free": Both("a freephone number", "被叫付费号码（如 800）"),
    "premium": Both("a premium-rate number", "声讯号码"),
    "service": Both("a service number", "服务热线"),
    "other": Both("an internet or company number", "网络电话或企业号码"),
    "emergency": Both("an emergency number", "紧急号码"),
    "state": Both("a number of a state organ", "国家机关号码"),
    "state_never": Both("a number of a state organ that never calls", "国家机关号码（只接不呼）"),
    "bank": Both("a bank's number", "银行号码"),
    "bank_never": Both("a bank's number that never calls", "银行号码（只接不呼）"),
    "inbound": Both("a number that can only be called", "只能被叫的号码"),
    "listed": Both("on the list of numbers that never call", "列入“只接不呼”名单"),
    "unallocated": Both("no such number in this country's plan", "国内未分配的号码"),
    "no_such_foreign": Both("no such number in that country's plan", "该国未分配的号码"),
    "no_country": Both("no country has this code", "国家代码不存在"),
    "malformed": Both("cannot be a telephone number", "号码格式无效"),
    "allowed": Both("on the allow list", "列入白名单"),
}
"""The classes of `model.caller_class`, in words."""


def fill(key: str, **values: Both | str | float) -> Both:
    """A label of the desk or of the report with its figures."""
    label = LABELS[key] if key in LABELS else REPORT[key]
    both = {name: v if isinstance(v, Both) else Both(str(v), str(v)) for name, v in values.items()}
    return Both(
        label.en.format(**{name: v.en for name, v in both.items()}),
        label.zh.format(**{name: v.zh for name, v in both.items()}),
    )
