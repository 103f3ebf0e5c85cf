"""The words of the letter about a trunk, in both languages; {} are filled in."""

from typing import Final

from ringfence.report.words import Both

LABELS: Final[dict[str, Both]] = {
    key: Both(*pair)
    for key, pair in {
        "title": ("Calls with forged numbers on trunk {trunk}", "中继 {trunk} 上的改号呼叫"),
        "no_trunk": ("not recorded", "未记录"),
        "to": ("To", "致"),
        "from": ("From", "发件方"),
        "date": ("Date", "日期"),
        "reference": ("Reference", "编号"),
        "period": ("Period", "时段"),
        "from_to": ("{first} to {last}", "{first} 至 {last}"),
        "lead_one": (
            "One call came to us over this trunk showing a number that it cannot have come from.",
            "有 1 通呼叫经此中继进入我网，其显示号码不可能为真实主叫。",
        ),
        "lead": (
            "{calls} calls came to us over this trunk showing numbers that they cannot have come from.",
            "有 {calls} 通呼叫经此中继进入我网，其显示号码不可能为真实主叫。",
        ),
        "lead_share": ("That is {share} of its {total} calls.", "占该中继全部 {total} 通呼叫的 {share}。"),
        "lead_numbers": (
            "They showed {shown} different numbers and rang {callees} of our lines.",
            "共显示 {shown} 个不同号码，呼叫了我网 {callees} 个用户。",
        ),
        "at_least": ("more than {n}", "超过 {n}"),
        "when": ("When", "时间分布"),
        "per_bar": ("One bar is {length}; the highest is {most} calls.", "每柱为 {length}，最高 {most} 通。"),
        "reasons": ("What is wrong with them", "异常原因"),
        "reason": ("What is wrong", "异常原因"),
        "calls": ("Calls", "呼叫数"),
        "numbers": ("Numbers", "号码数"),
        "first": ("First", "首次"),
        "last": ("Last", "末次"),
        "shown_most": ("Numbers shown most often", "显示最多的号码"),
        "shown": ("Number shown", "显示号码"),
        "examples": ("Examples", "示例"),
        "examples_all": ("All of them.", "全部呼叫。"),
        "examples_some": (
            "The latest, of different numbers and reasons; all {calls} are in the table that comes with this letter.",
            "按号码与原因选取的最近呼叫；全部 {calls} 通见随附表格。",
        ),
        "time": ("Time", "时间"),
        "called": ("Called number", "被叫号码"),
        "why": ("Reason", "原因"),
        "call_id": ("Call id", "呼叫标识"),
        "zone": ("Times are in {zone}.", "时间均为 {zone}。"),
        "masked": (
            "Some digits of the called numbers are hidden: these are people who may have been defrauded. Time, number shown and the digits left are enough to find a call in your records; the full numbers follow on a lawful request.",
            "被叫号码部分隐藏，因其机主可能是诈骗受害人。凭时间、显示号码与所留数字即可在贵方话单中查到该呼叫；如有合法调取手续，可提供完整号码。",
        ),
        "unmasked": (
            "Called numbers are given in full, as you asked. They belong to people who may have been defrauded: please use them for tracing only.",
            "应贵方要求列出完整被叫号码。机主可能是诈骗受害人，请仅用于溯源。",
        ),
        "ask": ("What we ask of you", "请贵方协助"),
        "ask_trace": (
            "Please find these calls in your records and tell us which network or customer handed them to you.",
            "请在贵方话单中查找上述呼叫，并告知其来自哪个网络或客户。",
        ),
        "ask_stop": (
            "Please stop calls of this kind before they reach us.",
            "请在此类呼叫进入我网前予以拦截。",
        ),
        "ask_true": (
            "If some of them are genuine, for example of a customer who may use the number from abroad, please name the numbers or the trunk and the proof. We then leave them alone.",
            "如其中有真实呼叫（例如客户有权在境外使用该号码），请告知相关号码或中继并附证明，我方将不再判为改号。",
        ),
        "ask_keep": (
            "Please keep the records of these calls; the police may ask for them.",
            "请保存上述呼叫的记录，以备公安机关调取。",
        ),
        "judged": (
            "Judged by call records only: the number plan, where the call came in, its signature, and for mobiles whether the number was in use at home at the time. Nothing that was said is known to us.",
            "仅依据话单判断：号码计划、呼入位置、认证级别；对手机号码，另看其当时是否在国内使用。我方不掌握通话内容。",
        ),
    }.items()
}
