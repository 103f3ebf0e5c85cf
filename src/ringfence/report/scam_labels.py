"""The words of the report about scam calls, in both languages; {} are filled in."""

from typing import Final

from ringfence.report.words import Both

SCAM_LABELS: Final[dict[str, Both]] = {
    key: Both(*pair)
    for key, pair in {
        "scams": ("Scam calls", "诈骗电话"),
        "scams_caption": (
            "People who were kept on the line by scammers, in the order in which it was recognised.",
            "被诈骗分子持续通话控制的人员，按识别先后排列。",
        ),
        "scam_on": ("Scam call to {line}", "{line} 接到诈骗电话"),
        "headline_scam_one": ("One person in a scam call", "1 人正遭遇或曾遭遇诈骗电话"),
        "headline_scams": ("{n} people in scam calls", "{n} 人正遭遇或曾遭遇诈骗电话"),
        "person": ("Person", "当事人"),
        "stage_now": ("Stage", "所处阶段"),
        "stage_since": ("{stage}, seen since {time}", "{stage}，{time} 显现"),
        "since": ("seen since {time}", "{time} 显现"),
        "head_start": ("Head start", "预警提前量"),
        # when it was recognised
        "scam_in_grip": (
            "Recognised on {time}, {delay} after the grip began.",
            "{time} 识别，距控制开始 {delay}。",
        ),
        "scam_before_grip": (
            "Recognised on {time}, before any call had become a grip.",
            "{time} 识别，当时尚未形成控制。",
        ),
        "grip_delay": ("{delay} into the grip", "控制开始后 {delay}"),
        "no_grip": ("before a grip", "尚未形成控制"),
        "watched": (
            "Watched since an earlier warning, so the bar was lower.",
            "此前已预警，一直在重点关注中，因此预警阈值较低。",
        ),
        # money
        "known_before": (
            "It was known {lead} before the first transfer to a new account.",
            "首次向陌生账户转账前 {lead}已识别。",
        ),
        "known_by": (
            "It was recognised by the first transfer to a new account itself, not before it.",
            "由首次向陌生账户转账本身识别，未能提前。",
        ),
        "known_after": (
            "It was known only {late} after the first transfer to a new account.",
            "首次向陌生账户转账 {late}后才识别。",
        ),
        "no_transfer": ("No transfer to a new account is known.", "未发现向陌生账户的转账。"),
        "moved": (
            "{n} transfers to new accounts, {sum} in all, of which {before} before it was recognised.",
            "向陌生账户转账 {n} 笔，合计 {sum}，其中识别之前 {before}。",
        ),
        "moved_after": (
            "{n} transfers to new accounts, {sum} in all.",
            "向陌生账户转账 {n} 笔，合计 {sum}。",
        ),
        "moved_one": (
            "One transfer to a new account, {sum}: ask the bank at once to stop it.",
            "向陌生账户转账 1 笔，{sum}：请立即联系银行紧急止付。",
        ),
        "stop_payment": ("Ask the bank at once to stop them.", "请立即联系银行紧急止付。"),
        "lead_short": ("{lead} before the transfer", "转账前 {lead}"),
        "late_short": ("{late} after the transfer", "转账后 {late}"),
        "with_transfer": ("with the transfer", "转账时"),
        "none_known": ("no transfer known", "未发现转账"),
        # where to reach the person
        "reach": ("Where to reach the person", "联系与查找当事人"),
        "reach_numbers": ("numbers", "号码"),
        "reach_cell": ("last seen in cell", "最近所在基站小区"),
        "reach_line": ("line", "通话状态"),
        "on_the_line": (
            "on the line with them when the records end",
            "话单结束时仍在与对方通话",
        ),
        "off_the_line": ("not on the line with them", "当前未与对方通话"),
        "not_told": ("not known", "不详"),
        "related": ("Belongs together with:", "同案关联："),
        "related_text": ("the text of {time} that demands money", "{time} 的勒索、诈骗短信"),
        "text_scam": ("belongs to the scam call to this line", "与该号码接到的诈骗电话同属一案"),
        # what the records did not tell
        "missing": ("What the records did not tell", "话单未提供的信息"),
        # picture
        "scam_picture": ("From the first call on; {day}.", "自首通来电起；{day}。"),
        "scam_picture_days": (
            "From the first call on; {first} to {last}.",
            "自首通来电起；{first} 至 {last}。",
        ),
        "left_out": (
            "Grey bands: long stretches without calls, left out.",
            "灰色带：略去的长时间无来电时段。",
        ),
        "lane_calls": ("calls that held the person", "控制当事人的通话"),
        "lane_money": ("transfers", "转账"),
        "lane_known": ("known people and the bank", "熟人与银行"),
        "lane_cells": ("cells", "基站小区"),
        "lane_others": ("other numbers", "关联号码"),
        "recognised_time": ("recognised {time}", "{time} 识别"),
        "returned_time": ("again {time}", "{time} 再次识别"),
        "marks_more": ("The first {n} of each sort are drawn.", "图中每类仅显示前 {n} 个。"),
        "not_through": ("a known person does not get through", "熟人来电未接通"),
        "with_known": ("a talk with a known person", "与熟人通话"),
        "bank_rung": ("rings a bank's hotline", "拨打银行客服热线"),
        "pays_new": ("a transfer to a new account", "向陌生账户转账"),
        "pays_known": ("a transfer to an account paid before", "向曾付款账户转账"),
        "still_up": ("still on the line", "仍在通话"),
        "cell_from": ("{cell}, from {time}", "{cell}，自 {time}"),
        "cell_new": ("not rung there before", "此前从未在此出现"),
        "cells_more": ("And {n} more cells.", "另有 {n} 个基站小区。"),
        # ledger
        "since_alert": ("What was seen since", "预警后的观测"),
        "since_caption": ("What was seen after the alert.", "预警之后的逐项观测及其证据值。"),
        "since_more": ("And {n} more observations.", "另有 {n} 项观测。"),
    }.items()
}

STAGES: Final = {
    "contact": Both("contact", "初步接触"),
    "hand_over": Both("hand-over", "转接“警方”"),
    "grip": Both("grip", "控制"),
    "isolation": Both("isolation", "与外界隔绝"),
    "payment": Both("payment", "转账"),
}
"""How far a scam has come: the stages of `detect.scam_call`."""

MISSING: Final = {
    "ingress": (
        Both("where calls came in (ingress)", "呼叫入口（ingress）"),
        Both(
            "a call from abroad under a domestic number could not be told from any other. In a simulated city seven in ten victims were recognised before the transfer without it, not nineteen in twenty.",
            "无法识别冒用境内号码的境外来电。模拟城市中，缺少此项时，转账前识别出的受害人约为七成，而非九成五。",
        ),
    ),
    "callee_cell": (
        Both("where the phone was (callee_cell)", "被叫所在基站小区（callee_cell）"),
        Both(
            "a move to a hotel could not be seen, and officers must find the person by other means.",
            "无法发现当事人转移到酒店等处，民警须通过其他途径查找。",
        ),
    ),
    "callee_device": (
        Both("the called phone (callee_device)", "被叫设备标识（callee_device）"),
        Both(
            "a second number in the same phone could not be seen; there may be one.",
            "无法发现同一部手机的第二个号码，当事人可能另有号码。",
        ),
    ),
    "caller_device": (
        Both("the calling device (caller_device)", "主叫设备标识（caller_device）"),
        Both(
            "SIM boxes were recognised less surely; of all victims in a simulated city hardly fewer.",
            "对GOIP卡池的识别把握较低；模拟城市中，对全部受害人的识别率影响很小。",
        ),
    ),
    "released_by": (
        Both("who hung up (released_by)", "挂机方（released_by）"),
        Both(
            "a person who broke away could not be told from one whom they let go.",
            "无法区分是当事人挂断还是对方挂断。",
        ),
    ),
    "transfers": (
        Both("transfers of money", "转账记录"),
        Both("money may have gone; ask the person and the bank.", "钱款可能已经转出，请向当事人和银行核实。"),
    ),
}
"""Columns that records may lack: their names, and what it means for what was recognised."""
