"""The words that tell a demand, and what each is worth in bits for each form of the crime.

Columns: extortion (pay or it goes on), scam (a false official, relative or firm), illegal debt collection. Every figure is log2 P(a text of the
crime says it) / P(a harmless text with a sum, a parcel or a favour in it says it), set by hand from reading, rounded to half bits and
bounded by 8: no public corpus holds such texts. The reason stands beside it.
"""

from typing import Final

from ringfence.detect.texts.phrases import (
    CALLS_EN,
    CALLS_ZH,
    DEEDS_EN,
    DEEDS_ZH,
    ENDLESS_EN,
    PAY_ZH,
    PEOPLE_EN,
    PEOPLE_ZH,
    PICTURES_EN,
    PICTURES_ZH,
    RING_ZH,
    UNPAID_ZH,
    clause,
    either,
    near,
    phrase,
)

LEVERS: Final = (
    # Half of all demands for quiet say it; a friend says it in jest now and then, seldom with a sum and an account.
    phrase(
        "threat", "threatens that the calls will go on", "威胁电话将继续不断", (7.0, 1.0, 5.0),
        r"呼死|打爆|爆你|炸你|轰你|轰炸|云呼|打到你|呼到你|打你到|响到你|灌爆|群呼|连番|测压|挂机(?!前)|外呼|弄瘫|拨不出|忙音|占线|打不[停完]|打不进|没完|永不停|睡不(?:了|成|着)觉|睡不好|换号|拉黑也?不|号多得是|打你一个月|挂到你",
        rf"(?:继续|接着|不停|一直|天天|永远|每天|连续|持续|加大|整夜|整晚|轮着|轮流|24小时|晚上|今晚|凌晨|叫醒|准时|加倍|翻倍)[^。\n]{{0,8}}(?:{RING_ZH}|叫醒|热闹|叫你|加码|骚扰)(?!不通|扰了|你也)",
        rf"(?:{CALLS_ZH})[^。!！?？\n]{{0,8}}(?:不会停|冇停|不会消停|不认人|不断|停不|不停|打没电|爆|瘫|干扰|照响|轮着|别想用|开张)|[,，。 ](?:不打|不给|不付|不转)?继续[。!！]?$",
        rf"{near('响|打|接', '[十百千]个?(?:电话|次|通|遍)|不停|不断', 5)}|(?:关机|拉黑|换卡|开机)[^。\n]{{0,4}}(?:没用|照|也)|你不给 ?我们?不走",
        rf"(?!lines? (?:and|of|manager))(?:{near(CALLS_EN, ENDLESS_EN, 24)}|{near(ENDLESS_EN, CALLS_EN, 12)})",
        r"blow(?:ing)? up|never end|never stop|ring ring|no money,? no sleep|and they don'?t(?![a-z])|keep coming|we can do this|\d+ calls|another \d+|jam(?:s|med|ming)?(?![a-z])|saturat|disrupt|(?:the|enjoy the) noise|spam(?:ming|s)? (?:u|you)|stress (?:service|test)|hears? from us|no pay\W+(?:就)?call|(?:no|never) (?:peace|quiet|sleep)|get used to|music for you|(?:rung|rang) (?:\d[\d,]*|all)|we call|singing",
    ),
    # Whom it would reach: the second lever of extortion and the first of loan sharks; jests and school texts name them too.
    phrase(
        "threat", "threatens those near the person", "威胁亲友、同事知情或受扰", (4.5, 1.5, 4.5),
        rf"{clause(DEEDS_ZH, PEOPLE_ZH, 8)}|{clause(PEOPLE_ZH, DEEDS_ZH, 10)}",
        r"爆(?:你)?(?:的)?通讯录|群发|曝光|一个个问候|人手一份|后果自负|别怪(?:我|老子)|不客气|走着瞧|好自为之|等着瞧|直接发|先看到|老赖|恶意逃债|张贴告知",
        rf"{near(DEEDS_EN, PEOPLE_EN, 16)}|{near(PEOPLE_EN, DEEDS_EN, 20)}|every(?:one|1|body) (?:in|u|you|gon|will|know|on)|contact list|all (?:your |ur )?contacts|fire you|in front of everyone|or else|consequences|regret",
    ),
    # Harm to body or home; debt that is collected lawfully does not speak of it.
    phrase(
        "threat", "threatens violence or a visit", "威胁人身或上门滋扰", (6.0, 1.5, 6.0),
        r"弄死|爬着|躺着|老子|一个人来|砍|卸[你您]|打断|剁|废了|收尸|花圈|遗照|横幅|传单|大字报|(?:泼|淋).{0,4}(?:漆|油)|红油|烧[你间]|上门|外访|走访|带(?:兄弟|人)|找人(?:收|弄|去)|[你您][^。\n]{0,3}楼下|(?:家|学校|单位|村)门?口|(?:路上|出门|走路|放学|开车|上学)[^。\n]{0,5}(?:小心|等|注意|堵)|小心点|知道[你您](?:家|住|孩子)|喺你屋企|等你[^。\n]{0,4}(?:放学|下班)|吓着|掂量",
        r"know (?:where|which|what|your)|(?:break|snap|burn|smash)\w* (?:your|ur|you)|(?:hurt|harm|kill) (?:you|ur)|(?:come|coming|be|send|sending)(?: \w+)? (?:round|around|over|to) (?:your|ur|yours|to your)|round yours|(?:windows|legs|kneecaps|fingers)(?![a-z])|(?:our|my|two|some|the) (?:\w+ ){0,2}(?:guys|boys|lads|men|agents|team) (?:\w+ )?(?:will|are|sit|come|visit|at)|(?:visit|reach)(?:ing|es)? (?:your|ur|you)|at your (?:door|house|home|place|kid)|take the (?:van|car|bike)|we(?:'ll| will) (?:find|hurt|come|visit)|nice (?:wife|family|house|shop|place|car)|shame if|knows? (?:your|where)",
    ),
    # The lever of sextortion; nearly unknown in texts about bills and favours.
    phrase(
        "threat", "threatens to publish pictures or videos", "威胁公开照片或视频", (7.0, 0.0, 4.0),
        rf"裸|不雅|[你您](?:那|的)?(?:些|段|张|几张)?(?:照片|视频|录像|聊天记录)(?!会员|号)|原图|偷拍|私密|隐私视频|出轨|开房|录下|录屏|p图|ps照片|{either(PICTURES_ZH, '在我|存好|留好|导出|群发|发给|发到|寄给|往外发|备份|先发|制作|做好', 8)}",
        rf"nudes?(?![a-z])|morphed|edited pics?|recorded you|(?:your|ur|the|a|we have|i have|i kept|got)(?: \w+)? {PICTURES_EN}[^.\n]{{0,50}}(?:contacts|every|wife|husband|boss|family|goes|will|out|posted?|sees|ready|copy|friends|followers|coworkers|colleagues|delet|webcam)|delete (?:ur|your|the) {PICTURES_EN}|(?:have|got|kept|saved) (?:ur|your|the|a) (?:\w+ )?{PICTURES_EN}|mailbox dump|our chat|tag(?:ged)? (?:as )?(?:thief|fraud)|with thief",
    ),
    # What is sold is quiet: no bill is paid for that.
    phrase(
        "offer", "sells an end of the calls", "以停止骚扰为条件收钱", (6.0, 0.0, 2.0),
        rf"消停|清静|清净|安静|安宁|安生|人静|静音(?!模式)|平安(?!保险|银行|普惠|到)|两不相[帮欠]|井水不犯|放[你您]一马|收手|收声|撤单|恢复(?:通话|畅通|正常)|自会恢复|停[晒曬]|包停|即停|立[马即]停|马上停|买断|破财消灾|歇会|喝茶|食茶|交个朋友|要停|想停|关停|想关|关掉|消失|从?(?:脚本|名单)里?(?:删|移|拿)|不接这个单|我们走|封口|两清|(?:到了|收到|钱到)[^。\n]{0,3}就?(?:撤|收工|走|闭嘴)|(?:打扰|解除|移除|停止|取消|关停|降档|任务|消灾|茶水|辛苦)[任务呼叫]{{0,4}}费|{near(PAY_ZH, '就?停(?:呼|止|了|$|[。,，!！ ])|就?不(?:会再|再|会)?(?:打|响|吵|嘈|找|烦|骚扰)|不会再?有人|唔会再|自然.{0,2}停|就?删|当面删', 8)}|停止(?:呼叫|骚扰|费)|解除轰|解锁|就不打|不打你|给您关了|不响|不想被|如需(?:终止|停止)",
        r"(?:it|calls?|they|we|phone|this|bot|ringing)(?: will| 'll|'ll| all)? (?:stops?|ends?|ceases?)(?![a-z])|stop(?:s|ped)? (?:the )?(?:calls?|ringing|calling|bot)|to stop(?![a-z])|switch (?:it )?off|(?:quiet|silence|silent|hush|peaceful)(?!ly)(?![a-z])|never hear|not hear (?:from )?us|want (?:you )?(?:to )?sleep|removal fee|leave you alone|end(?:s)? (?:it|this|the calls|in \d|when)|peace(?![a-z])|goes away|go away|(?:this|dis|it) is over|release costs|i (?:will )?(?:forget|delete)|lose your number|strangers again|unplug|hangs up for good|comes? back|clear(?:s)? (?:the )?lines?|line clear|keeps? the line|we remove|take (?:u|you) off|off (?:the|our) list|back to (?:life|normal)|we stop(?![a-z])",
    ),
    # Said to frightened people only.
    phrase(
        "threat", "says that the police cannot help", "声称报警没用", (6.0, 1.0, 3.0),
        r"报警(?:也|是)?(?:没有?用|都?冇用|无用|没人|抓不)|(?:别|不要|少|唔好)[^。\n]{0,4}报警|警察(?:抓不|不管|也)|阿sir|号码?都是(?:假|虚拟)|虚拟号|(?:恶意)?举报(?:将|会|也)|查不到|抓不到",
        r"police (?:can'?t|cannot|won'?t|will not|is|are)|(?:no|don'?t (?:call|go to|involve|bother with|bother)(?: the| with)?) (?:police|cops|law|feds)|(?:can'?t|cannot|won'?t) trace|untrace|dont bother with|no cops",
    ),
    # If not: the hinge of every demand. Bills have one too, which is why it is worth half of a threat.
    phrase(
        "threat", "sets an ultimatum", "最后通牒的口气", (3.5, 1.0, 3.5),
        rf"{near(UNPAID_ZH, '就|那|则|我|后果|直接|让|别|今晚|明|等|将|试试|发|打|加', 6)}|否则|不然|唔系就?|要不然|逾期[^。\n]{{0,6}}(?:由|将|就)|别耍|耍花样|装[死聋]|懂的都懂|过时不候|响够|一[分毛]都?(?:不能|不|别)少|好好想|想清楚|考虑一下|想好了来|别[跟躲逼]|最后说一遍|[你您]试试|少一(?:毛|分|块)|[晚迟]了?一(?:天|分钟|小时)|晚了|没有第二次|躲不了|躲得|最后[一]?次|最后(?:警告|通牒|通知|机会)|看着办|自己选|识相|倒计时|(?:不是|唔系)这个数|给脸",
        r"your choice|ignore (?:me|us)|ignoring us|last (?:warning|chance)|final (?:notice|warning|offer)|otherwise|unless|else(?= we| i| your| ur)|no (?:pay|money|transfer)|(?:do not|don'?t|dont|u no|you no|not) (?:pay|ignore)|listen carefully|(?:un)?till? (?:u|you) pay|until (?:it is |it's )?(?:settled|paid)|or (?:your|ur|ring|i(?![a-z'])|we|two|my|our|the|it|whole) (?!lose|miss|are|can|by)|(?:or|r) (?:the )?ur|if (?:not|u don'?t|you don'?t|i do not)|further refusal|next stop|u pay(?![a-z])|every hour you wait|tick tock|thereafter|after that|whole offer|not jok|dont make me|don'?t make (?:me|us)|whole night|every (?:day|night)",
    ),
    # Illegal collectors name debts; so do banks, which is why it is worth little alone.
    phrase(
        "debt", "speaks of a debt", "提到欠债", (-1.0, 0.0, 3.0),
        r"欠款|欠的|[你您]欠|欠[一二两三四五六七八九\d]|还钱|借款|逾期|催收|催债|违约金|续期|网贷|小额贷|结清|借的|还款|再不还|不还是|[你您]来还|放款|老赖|本息|到期未还|欠账|速贷|砍头息|利滚利|本金|账务|户籍地|外访",
        r"you owe|u owe|owe us|what u owe|debt(?! free)|loan|dues(?! of)|overdue|collector|past due|borrowed|(?<![a-z])emi(?![a-z])|recovery|defaulter|outstanding|not cleared|with (?:the )?interest|fraud customer",
    ),
    # False officials: real ones do not ask for money by text.
    phrase(
        "authority", "speaks as an authority", "自称公检法或官方机构", (0.0, 4.5, 0.0),
        r"公安|检察院|法院|刑侦|经侦|警官|逮捕|通缉|拘传|拘留|传票|通信管理局|社保局|医保局|银联|教育局|涉嫌|嫌疑人|洗钱|撤案|取保|专案|海关|民警|交警|警号|案号|书记|执行局|征信中心|差馆|[王李张刘陈赵杨黄周吴]局(?![部域])|平台客服|京东客服|快手客服|节目组|专员|贷款中心",
        r"(?:irs|cbi|fbi|ssa|hmrc|dea|rbi|trai|ncb)(?![a-z])|officer|warrants?(?! y)|arrest|customs|social security|money laundering|fraud (?:dep\w*|team|desk|squad|unit)|security team|tax (?:office|refund|department)|back taxes|sheriff|deput(?:y|ies)(?![a-z])|marshal|in(?:to)? custody|drugs case|pastor(?![a-z])|agent(?: \w+)? (?:directly|needs)|power company|electricity (?:will|dep|off)|enforcement|special agent|agent [a-z]+ with|federal|monitored|county|division|bailiffs?",
    ),
    # No authority and no bank has one: the word belongs to the crime alone (and to warnings against it).
    phrase(
        "safe account", "sends money to a safe account", "要求转入“安全账户”", (0.0, 7.0, 0.0),
        r"安全账户|监管账户|公证账户|核查账户|清查专户|指定专户|资金(?:清查|核查|核实|比对|审查)|(?:全部|所有|名下)(?:资金|存款|余额)[^。\n]{0,6}(?:转|汇|存)|保全资金|资金保全|指定账户核|证明清白|归集|待核验|接受(?:核查|清查)|清查资金|合规审查|流水验证|对接账户|原路(?:退|返)[回还]",
        r"(?:safe|secure|holding|temporary|protected|verification) account|(?:move|transfer) (?:everything|all|your|the (?:full|whole|entire)) ?(?:\w+ )?(?:money|funds|savings|balance|to the)?|protect your (?:money|funds|savings)|security deposit|deposit .{0,20} security|for verification|refund(?:ed)? after|digital arrest",
    ),
    # Whoever sends a code says not to share it.
    phrase(
        "code", "asks for a code", "索要验证码", (0.0, 8.0, 0.0),
        r"验证码(?:发给|告诉|转发|报给|给)(?:我|客服|工作人员)|(?:把|将)[^。\n]{0,8}验证码[^。\n]{0,4}(?:发|告诉|给|报)|共享屏幕|屏幕共享|会议软件|填写银行卡|回复(?:收到的)?验证码|提供验证码|验证码报",
        r"(?:reply|send|text|give|tell|forward)(?: me| us)?(?: back)?(?: with)? the (?:\d-?digit )?codes?|read (?:me |us )?(?:out |back )?the (?:(?:pass)?codes?|numbers)|(?:need|want) (?:you to |the )[^.\n]{0,16}(?:pass)?code|read us the numbers",
    ),
    phrase(
        "secrecy", "wants it kept secret", "要求保密", (1.5, 4.0, 0.0),
        r"不(?:得|许|要|能|可)[^。\n]{0,2}(?:告诉|告知|透露|跟|和|对|外泄).{0,5}(?:任何人|家人|别人|他人|财务|说)|勿(?:对外|外泄|与他人|向)|(?:须|要|请|案件|注意)保密|保密|别声张|勿挂断|不要声张|切勿声张|(?:别|不要|先别)(?:给我)?打(?:我)?电话|先别打|别(?:让[^。\n]{0,6}知道|告诉)|唔好同|千万别|对谁都别|不得提起|对任何人|不方便(?:接|转|出面|说)|不便接听",
        r"(?:do not|don'?t|dont|not to|never) (?:tell|discuss|inform|involve|speak|ring|alert|mention)|tell (?:nobody|no ?one)|confidential|keep (?:this|it) (?:secret|quiet|between)|between us|can'?t (?:talk|take calls|ring|call)|cant (?:talk|ring|call)|text only|quietly|stay on|not to your",
    ),
    # The lost phone of a child, the boss who cannot be seen.
    phrase(
        "stranger as family", "a relative or superior writes from another number", "冒充亲属或领导换号借钱", (0.0, 7.0, 0.0),
        r"换号[了码]?|新号码?|(?:手机|电话)[^。,，\n]{0,3}(?:掉|丢|坏|摔|进水|送修|停机|被收)|原来的(?:号)?(?:丢|不用)|(?:同学|室友|朋友|别人)的(?:号|手机|发)|用(?:同学|室友|朋友|别人|他人)|老师(?:的)?卡|我是[你您]?们?[^。\n]{0,3}领导|[你您]个[仔女]|不方便(?:出面|转账|接)|不便(?:出面|接听)|明天来?到?我?来?我?办公室|不好(?:直接)?出面|领导急|我出事|出车祸|撞了?[人倒]|撞[伤倒]|限额|微信被[封限]|抢救|(?:被|入咗)(?:带走|抓|拘|差馆)|放人|私了|和解|了事|保释|打架|替公司|先替",
        r"(?:new|temporary|friend'?s|mate'?s|different|this) (?:phone )?(?:number|phone|mobile|cell)(?= is| now| for|[,.]| because| as)|stranded|towed|new number|(?:dropped|lost|broke|smashed|cracked) (?:my|the|me) (?:phone|mobile)|(?:phone|mobile|mine)(?:'s| is| was| got)? (?:broken?|died|dead|smashed|bust|stolen|locked)|i'?m in jail|in jail|it'?s me(?![a-z])|it'?s your ceo|(?:i am|i'?m|its|it'?s) (?:your )?(?:grand\w+|nephew)|bail|bond(?:sman)?(?![a-z])|in (?:a|the) (?:\w+ )?meeting|tied up with|(?:son|daughter) is arrested|clear (?:his |her )?name|using (?:\w+)'s (?:phone)?|mic doesn'?t|need a favou?r|do me a favou?r|had an accident|hit a lady|locked out|holding me",
    ),
    # An account that has just changed, or is somebody else's: the redirected payment.
    phrase(
        "other account", "names a changed account, or somebody else's", "称收款账户变更或由他人代收", (0.5, 5.5, 0.5),
        r"换卡|新[卡账]号?|(?:账户|账号|卡)(?:有)?(?:变更|换了|冻了|停用了)|(?:卡|账户)[^。,，\n]{0,3}冻|代收|经办人|个人卡|私人码|专员(?:账户|卡|处)|(?:老婆|会计|书记员|律师|助理|辅导员|主任|专员|警官|财务|朋友)[^。,，\n]{0,4}(?:的卡|卡|账户|账号|支付宝|微信|扣扣)|打这个|给这个卡|以后[^。\n]{0,4}打",
        r"new (?:bank )?(?:details|account)|(?:bank|account) (?:details )?(?:has |have )?changed|(?:our|the collection|collection) officer|to our (?:officer|agent|lawyer)|different account|direct via|moved banks|old account|from now on",
    ),
    # Shops and friends take cards and transfers; who wants not to be found does not.
    phrase(
        "way", "wants it in a way that cannot be traced", "要求以难以追查的方式付款", (2.0, 3.0, 2.0),
        r"收现金|现金交|发(?:你)?收款码|要码|索取|地点[^。\n]{0,3}(?:稍后|再|通知)|红包|回(?:复)?[1y是].{0,3}发|等值|虚拟币|(?<![a-z])usdt|截图给我|收到款|钱到|款到|到账(?!工资)|点卡",
        r"western union|moneygram|money ?pak|cash ?app(?! is)|vanilla|prepaid|pre-paid|courier|in (?:btc|eth|crypto|bitcoins?|cash)(?![a-z])|cash for|only in|crypto|bitcoin|usdt|reply yes for|how to pay|once we (?:have )?rec\w+|scratch|scrape|read the (?:serials|numbers)|vouchers|send (?:me )?(?:the )?screenshot",
    ),
    phrase(
        "gift card", "wants gift cards", "索要礼品卡", (3.0, 6.0, 1.0),
        r"礼品卡|点卡(?:密码|卡密)?|充值卡密|卡密(?:发|给)|购物卡.{0,4}(?:密码|卡密)",
        r"(?:gift|itunes|steam|google play|apple|amazon|razer(?: gold)?|visa gift|vanilla|prepaid|target|ebay) (?:gift )?(?:cards?|vouchers?)|bitcoin atm",
    ),
    # A link that is none of the sender it names: endings of the cheap sort, bare addresses.
    phrase(
        "link", "links to a doubtful address", "含可疑链接", (0.0, 6.5, 0.0),
        r"(?:https?://)?(?:[a-z0-9-]{1,40}\.){1,4}(?:top|xyz|vip|cc|icu|club|shop|online|site|live|buzz|work|click|link|info|ws|tk|ru|win|fit|bid)(?:/[!-~]{0,80})?(?![a-z])",
        r"https?://\d{1,3}(?:\.\d{1,3}){3}\S{0,80}|(?:bit\.ly|tinyurl\.com|t\.cn|is\.gd|dwz\.cn)/\S{1,40}",
    ),
    phrase(
        "trouble", "frightens with an arrest, a seizure, an account about to be closed", "以抓捕、冻结、停用、征信等相威胁", (0.0, 3.0, 0.5),
        r"已停用|将停用|已过期|冻结|停用并|消费异常|账户异常|认证|影响(?:征信|驾驶|出行|使用|年审)|丢失|未注销|被人冒用|盗刷|失效|注销|恶意骗贷|骗贷|移送|起诉|法律责任|暂缓执行|就拘|抓捕|派警|送我进去|扣分|自动扣|填错|有误|被锁",
        r"suspended|compromised|verify your|unusual (?:activity|sign)|if this was not you|new payee|will be (?:closed|returned|locked|blocked|disconnect\w*|cut|cancell?ed|served)|on hold|is held|parcel (?:is |was )?held|restricted|incomplete address|cannot be delivered|tried to deliver|rebook|reschedule|will be blocked|locked due|restore access|payment failed|licen[cs]e suspension|unpaid toll|update your (?:card|payment)|seiz\w+|arrest|jail|deport\w*|emptying your|criminals inside|cut (?:off )?your|prize is cancel|bailiffs",
    ),
    phrase(
        "bait", "promises a prize, a refund, a loan or easy money", "以中奖、退款、放贷、兼职为诱饵", (0.0, 4.0, 0.0),
        r"中奖|抽中|[一二三特]等奖|恭喜|理赔|幸运|获奖|领奖|兑奖|奖金|补助|助学金|一起退回|刷单|返佣|兼职|日结|垫付|保本|内部消息|稳赚|带你赚|百分百|导师.{0,4}(?:带|荐)|高额回报|额度已?(?:审批|通过)|放款|提现|积分|兑换|赔付|late relative|left eur",
        r"(?:you(?:'ve| have)?|u) won|congrat|winner|prize|lottery|draw(?![a-z])|euromillions|refund (?:is )?(?:pending|of)|claim your|guaranteed (?:return|profit)|work from home|easy money|like videos|double your|inheritance|was picked|to release it",
    ),
    phrase(
        "fee", "wants a fee first", "要求先交费用", (0.0, 2.5, 0.0),
        r"手续费|保证金|取保金|候审金|先缴|先交|先存|先转|先垫|需先|须先|需缴纳|验证金|解冻[费金]|激活费|工本费|税费|个税|保释|公证|和解金|改单费|培训费|报名金|资料费|开通了[^。\n]{0,8}每月扣|先打",
        r"(?:shipping|processing|redelivery|release|customs|clearance|upfront|handling|admin|transfer|legal|court|activation) (?:fee|tax)|pay the £?\$?\d|bail|to be released|before release|insurance\. |taxes? of|needs [£$€]|notary fee",
    ),
    phrase(
        "hijack", "claims to hold the device or a contract on it", "声称已控制设备或受雇骚扰", (3.0, 1.0, 0.0),
        r"(?:手机|电话|号码|电脑)(?:已)?被(?:锁定|加入|列入|控制)|已控制[你您]|列入(?:呼叫)?名单|名单里|云呼名单|呼叫(?:任务|套餐|平台|系统|名单)|摄像头|受人(?:之托|委托)|拿人钱|有人委托|雇我|人家出了|得罪了?谁|照顾[你您]的|脚本|套餐已开通",
        r"on our list|enrolled in our|lines are being tested|webcam|hacked|malware|is the target|third party|(?:someone|somebody|(?:my|our) client|a client) (?:paid|hired|pays|wants)|is running|in our (?:robo|dial|auto|list)\w*|\d+ numbers|may have noticed|numbers hai",
    ),
    # Who sells a bike does not speak of the buyer's telephone, shop or mother.
    phrase(
        "yours", "speaks of the person's telephone, business or family", "提到对方的电话、生意或家人", (1.5, 0.0, 1.5),
        rf"[你您]们?(?:家|店|公司|诊所|单位)?(?:的|部|这)?(?:{CALLS_ZH}|生意|单子|店|门店|客人|预约|老婆|老公|孩子|[爹爸妈])|接单|手机",
        r"(?:your|ur|ya|yr) (?:\w+ )?(?:phone|number|line|clinic|shop|store|desk|business|customers?|reservations?|mother|mum|mom|father|old man|dad|kid|boy|girl|wife|husband|boss|mother's)|i turn it off|script|engaged|reservation|pubs shut|shame|it behaves",
    ),
    # Courtesy gives time; half of the crimes do not.
    phrase(
        "haste", "hurries", "催促立即付款", (1.0, 1.5, 1.0),
        r"马上(?!停)|立即(?!停)|立刻|急用|速度|快点|快啲|赶紧|现在就?转|今天就要|最后一天|直接转|就要交",
        r"immediately|asap|right away|right now|rn(?![a-z])|hurry|now(?= or|$|[.!,])|urgent|straight ?away|tonight|last warning",
    ),
)  # fmt: skip
