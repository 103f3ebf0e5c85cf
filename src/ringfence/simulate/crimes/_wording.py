"""Extortion texts as victims hand them over, in Chinese and English; sum, account and deadline vary, and so does the wording."""

from typing import Final

import numpy as np

_ZH: Final = (
    "老板，想让电话消停就打{amount}元到{bank}卡号{account}，不给就一直打下去。",
    "不好意思打扰了，{amount}块钱买个清静。账号{account}（{bank}）。{deadline}前不到账，继续。",
    "你的手机已被云呼系统锁定。解除费{amount}元，转{account} {bank}，转完短信回复OK。",
    "兄弟求财不求气。{amount}元，{bank} {account}，{deadline}前打过来，马上停。",
    "别关机，关机也没用。准备{amount}元打到{account}，否则你的亲戚朋友一起呼。",
    "【通知】您的号码已列入呼叫名单，缴纳{amount}元后移除。收款账户：{account}（{bank}）",
    "再不还钱就呼死你，今天先还{amount}，{bank}{account}",
    "要停就{amount}，{account}，{bank}。报警也没用，号码都是假的",
)  # fmt: skip
_EN: Final = (
    "Want your phone quiet again? Send {amount} {currency} to {bank} account {account} and it stops. No money, no sleep.",
    "Your number is on our list. Pay {amount} {currency} to {account} ({bank}) before {deadline} or the calls go on.",
    "We can do this all week. {amount} {currency}, {bank} {account}. Text OK when done.",
    "nothing personal. {amount} to {account} by {deadline} and we switch it off",
    "Final notice: settle {amount} {currency} today. Acct {account}, {bank}. Calls continue until it is paid.",
    "{currency}{amount} to {account} and you will never hear from us again. Police can't trace these numbers.",
)
_BANKS: Final = {
    "zh": ("农行", "工商银行", "建行", "邮储", "中国银行", "招行"),
    "en": ("First", "Metro", "Union", "Northern"),
}
_DEADLINES: Final = {
    "zh": ("今晚8点", "明天中午12点", "24小时内", "今天之内"),
    "en": ("8 pm tonight", "noon tomorrow", "midnight"),
}


def demand(rng: np.random.Generator, language: str, amount: int, currency: str, account: str) -> str:
    """An extortion text."""
    text = str(rng.choice(_ZH if language == "zh" else _EN))
    shown = " ".join(account[n : n + 4] for n in range(0, len(account), 4)) if rng.random() < 0.3 else account
    return text.format(
        amount=amount,
        account=shown,
        currency=currency,
        bank=rng.choice(_BANKS[language]),
        deadline=rng.choice(_DEADLINES[language]),
    )
