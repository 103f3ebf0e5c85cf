"""What harmless texts say, and how many bits it speaks against a demand, for each form of the crime.

Harmless words are weighed by the share of bills, parcels, banks' texts and favours that carry them against crimes that imitate it: a false relative
says thank you and names a rent, so these are worth less against a scam.
"""

from typing import Final

from ringfence.detect.texts.phrases import phrase

EVERYDAY: Final = (
    # Police, banks and papers quote demands to warn of them: the strongest of all, so that no quotation raises an alert.
    phrase(
        "warning", "warns of fraud", "反诈提醒", (-14.0, -14.0, -14.0),
        r"反诈|防诈|谨防|警方提示|警方提醒|公安局?提醒|警惕|不法分子|切勿(?:转账|汇款|相信|轻信)|诈骗(?:分子|短信|电话|手段|团伙)|骗子(?:常|会|的|冒)|都是诈骗|是骗局|高发|96110|165反|不轻信|警方不会|(?:公安机关|银行|警察|我行)(?:绝)?不会|请勿转账|遇到.{0,8}(?:报警|110)|保留证据|提高警惕|请勿相信|勿信|上当|骗人的|任何人索要|冒充(?:物业|客服|子女|领导|熟人)|先打(?:电话|原号)|打?原号码?核实|凡(?:是)?(?:要|自称|说)|民警提醒|冒充.{0,12}(?:诈骗|骗)",
        r"scam alert|beware|police warning|criminals (?:are|say|may|will|send|text|call|pretend|who|claim)|fraudsters?|scammers?|con artists?|will never (?:demand|ask|threaten|call)|never (?:ask|share|pay|send|put you)|no (?:police )?officer will|real (?:police|banks?)|got hacked|it'?s not me|heads up|always (?:call|check)|action fraud|stay alert|report it|protect yourself|it'?s a con\b|(?<!not )(?<!n't )hang up(?!s)|we do not call|no real|neighbou?rhood alert|warning: (?:criminals|scam)|we'?ll never",
    ),
    # Somebody tells of such a text, or asks.
    phrase(
        "quote", "tells of such a text", "转述或询问此类短信", (-12.0, -12.0, -12.0),
        r"收到(?:了)?(?:一条|个|条|这条|这种)?[^。\n]{0,4}短信|这(?:条)?短信|是不是骗|是骗子|是诈骗吗|要不要报警|怎么办[?？]|有人(?:一直|老是|天天)?(?:给我)?打|该不该|帮我看看|真的假的|被人?骗|新闻说|对方(?:说|要我|让我)|(?:发|给)(?:你|您|大家|警官)截图|截图(?:给您|留着)|怎么处理|中招|有人(?:发短信|说|冒充)|(?:收到|来了)[^。\n]{0,4}(?:勒索|诈骗|骚扰)|已经?报警|怎么投诉|投诉|接了[^。\n]{0,6}骚扰电话|我根本没|能告他",
        r"i got (?:this|a) text|is (?:it|this) (?:a scam|real|legit)|someone keeps|should i|has anyone|got a (?:text|message)|forwarded|saw on the news|(?:they|a text|the text|it|text that) (?:says?|said|wants?)(?! (?:ur|your|u))|texts? (?:saying|asking)|blocked them|some (?:bot|idiot|scammer)|who keeps|here is the text|what do i do|someone is (?:texting|sending)|told my",
    ),
    phrase(
        "no code", "a code, and not to share it", "发送验证码并提示勿泄露", (-8.0, -8.0, -8.0),
        r"验证码.{0,20}(?:请勿|切勿|勿|不要)(?:泄露|告诉|转发|将)|验证码(?:为|是|:|：)?\d{4,8}|(?:请勿|勿|不要)将验证码",
        r"动态密码|(?:verification|security|login|one[- ]time|your) (?:code|pass(?:code|word))(?: is|:)|do not share (?:it|this)|don'?t share",
    ),
    # A firm's own name before its text: copied by one scam in three, carried by nearly every bill.
    phrase(
        "sender", "bears a firm's name", "带机构签名", (-2.0, -0.5, -3.0),
        r"^【[^】\n]{2,16}】|【[^】\n]{2,16}】$",
        r"^(?:chase|barclays|hsbc|ups|dpd|fedex|vodafone|klarna|pg&e|amazon|usps|royal mail|wells fargo|citi|at&t|verizon|netflix|paypal)[: ]",
    ),
    phrase(
        "last digits", "names the last digits only", "只写账户尾号", (-5.0, -5.0, -6.0),
        r"(?<!证)尾号 ?[（(]?\d{3,4}",
        r"ending(?: in)? \d{3,4}|\*{2,}\d{3,4}|xx+\d{3,4}",
    ),
    phrase(
        "official way", "leads to official ways only", "指向官方渠道", (-4.0, -4.0, -5.0),
        r"(?:官方|手机银行|掌上|网上国网|12123|所得税|移动)? ?(?:(?<![a-z])(?<!cash )app(?![a-z])|公众号|小程序|营业厅|官网|网点|柜台)|客服(?:热线|电话)?[:： ]?(?:95\d{3}|100\d\d|400|800)|(?:详询|咨询|致电|拨打|热线|客服|询)[:： ]?(?:95\d{3}|100\d\d|12\d{3}|96\d{3}|400|800)|超商|服务中心|服务热线|收费处",
        r"log ?in to (?:the|your)|(?:on|in|via|through) (?:the|your|our) (?:official |school |online )?(?:app|portal|website|account)|in your account|[a-z0-9.-]{1,40}\.gov(?![a-z])|at (?:the )?(?:office|counter|clerk|front desk|post office)|number on (?:the back|your)|back of (?:your|the)|our website|direct debit|at city hall|city'?s website|visit (?:a|your) (?:branch|our website)",
    ),
    phrase(
        "courtesy", "lets one off, or helps", "语气宽缓或提供协助", (-3.0, -3.0, -5.0),
        r"如已(?:还款|缴|支付|付|处理)|请忽略|如有(?:疑问|困难|问题|异议)|感谢(?:配合|您的|使用|光临)|晚两天也没|不急|有空|随时联系|多少都是|依法(?!收)|诉讼|劳动监察|仲裁|起诉了|12345|如有|方便的(?:话|时候)|没事的|敬请谅解|给您带来|祝您|协商还款|到店支付",
        r"already paid|ignore this|if you have (?:already )?paid|at your convenience|let us know|any questions|questions\?|no rush|if you are struggling|you may dispute|thank you for|whenever|payment plans?|financial assistance|we can help|if you (?:can'?t|cannot) pay|small claims|rate us|returns accepted|to avoid (?:a )?(?:fee|disconnection)|courtroom|statement",
    ),
    phrase(
        "favour", "asks as a friend asks", "亲友间借钱、垫付的口气", (-5.0, -2.5, -5.0),
        r"(?:还|转|付)(?:给)?你(?!们|家|是)|借我|借.{0,6}(?:块|元|千|百|万)?.{0,4}(?:还你|周转)|周转(?!不灵)|救急|谢谢(?!配合)|多谢|谢啦|唔该|麻烦你|爱你|哈哈(?!哈)|😂|😘|👌|老弟|么么|省着|师傅我|弟，|给你(?:卡上)?[打转]了|\[捂脸\]|嘻嘻|(?<![a-z])aa(?![a-z])|随了|帮我垫|生活费|等我|回头|得唔得|一定还|发工资|好不好|可以吗|辛苦",
        r"lend me|pay (?:you|u) back|back on|thanks|thank you|thx|please(?! (?:please|dont|don't|click|visit|verify|pay|send))|love you|haha|lol\b(?! or)|😂|cheers|no worries|my share|each\b|owe me|when (?:you|u) (?:can|get)|xx+$|😊|sent you|you goblin|see you|pizza lol|lol$|as always|as usual|as quoted|same as (?:before|always|last)|great progress|namaste|loser|for the (?:train|tickets|pizza|taxi)",
    ),
    phrase(
        "orderly", "an ordinary purpose", "日常用途：账单、房租、学费、货款等", (-4.0, -2.0, -4.0),
        r"房租|租金|押金|物业费|电费|水费|燃气费|学费|(?<![a-z电])话费(?!都)|保教费|班费|伙食费|合同|货款|对公|二手|议价|讲价|退我|收到了|货到|发票|场地费|挂号费|保费|保单|票价|补习费|校服|考试费|补考费|供热费|加班费|分摊|门禁(?!卡)|房费|春游|场地|包邮|小刀|转让|出售|看好了|看房|押一付|年费|全勤|[出人]一半|每人|每套|每户|每家|跑腿费|护工|平摊|水电|精修|取片|下班来拿|店里|到店|门店|[你您]订的|课时|续课|私教|装车|瓷砖|冰箱|飲茶|饮茶|食饭|聚餐|烧烤|火锅|工钱|工程款|干完|会费|份子|药|定金|礼金|工资|报销|账单|月结单|月費|住院|捐款|捐赠|善款|罚款|团购|代练|运费|到付|货到付款|尾款.{0,8}财务|订单|预订|户号",
        r"\brent\b|tuition|invoice|\bbill\b|landlord|deposit of|council tax|subs\b|field trip|parking fine|recharge|receipt|donat|pizza(?! shop)|school (?:trip|fees?|uniform|portal)|sunrise public school|payslip|payday!|instal?ment|book club|appointment|order \d|premium|copay|\bfee is\b|/kid\b|per (?:person|kid)|each to\b|tournament|gift for|couch|moving sale|tickets?\b|standing order|overtime|bike(?! i)|servicing|boiler|a head|per (?:family|head|night|class)|party|still available|pick ?up in|estimate|for the tyres|leftovers|maintenance|residents|logo|lessons?|fees? \(|bacs|football|nights? at|to hold the|deposit is|keys from|order of|is packed|completion|uniforms?|concert|pram|filing fee|electric came|invoice|repair|shipped|airbnb|pledge|hoa\b|dues of",
    ),
    phrase(
        "done", "tells of a payment already made", "告知已发生的收支", (-5.0, -5.0, -5.0),
        r"已(?:到账(?!户)|入账|扣款|支付|签收|退到|出票|打入|开具|出库|通过|到|送达)|支出|余额(?!全部|转|归)|实发|到账工资|收入[（(]|正在向",
        r"(?:was|has been) (?:deposited|debited|credited|returned|taken)|will be taken|you spent|debited from|net pay|(?:avl|available|your|current) bal|balance (?:of|is|remains)|overdrawn|ready to collect|you were paid|direct deposit",
    ),
    phrase(
        "advert", "an advertisement", "营销广告", (-7.0, -5.0, -7.0),
        r"退订|回t\b|拒收|回td|满\d+元?减|满\d+元?送|\d折|优惠券?|抢购|开抢|特惠|限时|vip专线|充值\d+元?(?:送|得)|欢迎(?:光临|选购)|新品|首付|低至",
        r"reply stop|text stop|opt out|unsubscribe|% off|\bsale\b|t&cs|shop now|\bstop to\b|opt-out|msg rates",
    ),
    phrase(
        "parcel", "a parcel or an appointment", "快递、取件或预约", (-4.0, -2.0, -4.0),
        r"取件码|驿站|快递|包裹|快件|配送|送货|门市|取货|预约(?!电话)|取号|体检",
        r"pick ?up code|locker|package arrives|driver (?:is|will)|delivery (?:by|between)|will deliver|track (?:it|your)|collect within|appointment",
    ),
)  # fmt: skip
