"""Words that shop receipts are made of, for text as `sheet.compact` gives it: capitals without spaces or points."""

from __future__ import annotations

import re

Marks = dict[str, re.Pattern[str]]
"""What a name stands for, by name."""

TOTAL_KEYS: Marks = {
    "total": re.compile(
        r"T[O0]TA[LI1]|^DUE(?:RM)?$|AMOUNTDUE|AMTDUE|BALANCEDUE|JUMLAH|合计|合計|总计|總計|总额|總額|总价|總數|应付|應付|实付|實付|应收|應收|消费金额|消費金額"
    ),
    "grand": re.compile(
        r"GRANDT|NETT?T[O0]TA|TOTALDUE|PAYABLE|TOPAY|NETT?AMOUNT|NETT?AMT|AMOUNTDUE|AMTDUE|BALANCEDUE|TOTALRM|TOTALAMOUNT|TOTALAMT"
        r"|BILLTOTAL|TOTALBILL|应付|應付|实付|實付|总计|總計|总额|總額"
    ),
    "after": re.compile(r"ROUND.{0,6}TOTAL|TOTAL.{0,8}ROUND|AFTERADJ|AFTERROUND|AFTERDISC|AFTERTAX"),
    "with_tax": re.compile(r"INCL|INC(?=GST|TAX|OF|S?ST|VAT|$)|WITHGST|WITHTAX|含税|含稅"),
    "without_tax": re.compile(r"EXCL|EXC(?=GST|TAX|OF)|BEFORE|NOTINCL|WITHOUT|不含税|未税|未稅"),
    "sub": re.compile(r"SUBT|SUB.?T[O0]TA[LI1]|SUBTTL|小计|小計"),
    "tax": re.compile(r"GST|TAX|SST|VAT|SVC|SERVICECHARGE|SERVCHG|SERCHG|SCHARGE|税|稅|服务费|服務費|加一"),
    "rounding": re.compile(r"ROUND|R[O0]NDING|RND|四舍五入|抹零|进位"),
    "paid": re.compile(
        r"CASH|^PAY(?:RM)?$|ACCEPTED|TENDER|PAID|PAYMENT|PAYMEN|VISA|MASTER|CARD|DEBIT|CREDIT|RECEIVED|NETS|ALIPAY|WECHAT|OCTOPUS|TUNAI|DEPOSIT|现金|現金|实收|實收|收款"
        r"|支付|付款|八达通|八達通|微信|支付宝|刷卡"
    ),
    "change": re.compile(r"CHANGE|CHG(?!$)|BAKI|找零|找续|找續|找赎|找贖|余额|餘額"),
    "saving": re.compile(r"DISC|SAVING|SAVED|REBATE|VOUCHER|COUPON|优惠|優惠|折扣|折让"),
    "count": re.compile(r"QTY|QUANTITY|ITEM|PCS|COUNT|POINT|件数|件數|数量|數量|积分|積分"),
    "price": re.compile(r"PRICE|UNIT|@|单价|單價"),
    "amount": re.compile(r"AM[O0]UNT|AMT|金额|金額"),
    "currency": re.compile(r"RM$|HKD?$|USD$|CNY$|RMB$|MYR$|SGD$"),
    "summary": re.compile(r"SUMMARY|ANALYSIS|TAXCODE|SUPPLIES"),
}

SUMMARY = re.compile(r"(?:GST|TAX|SST|VAT).{0,8}(?:SUMMARY|ANALYSIS|SUMARY|SUMM)|税额汇总|稅額匯總")
"""Heads a table of taxes, whose totals are not what was paid."""

DATE_KEYS: Marks = {
    "date": re.compile(r"DATE|日期|TARIKH|时间|時間"),
    "printed": re.compile(r"PRINT|LOGIN|REPRINT|打印"),
    "due": re.compile(r"DUE|EXPIR|VALID|EXP|UNTIL|BEFORE|BEGIN|START|EFFECTIVE|有效|截止|到期"),
    "bill": re.compile(r"INVOICE|BILL|RECEIPT|TRANS|SALES|ORDER|单据|交易|开票"),
    "time": re.compile(r"TIME|时间|時間"),
}

COMPANY_ENDS = re.compile(
    r"S[DO]N[BD8]H?[DO0]|SDNBND|BERHAD|BHD|(?<![A-Z])LTD|LIMITED|(?<=[A-Z])LTD$|PTELTD|(?<![A-Z])INC$|LLC|GMBH|CORP|CORPORATION|PLT$|有限公司|股份|集团|集團"
)
"""How the names of companies end, with what is often misread of them."""

COMPANY_MARKS: Marks = {
    "trade": re.compile(
        r"ENTERPRISE|TRADING|RESTAURANT|RESTORAN|HARDWARE|MARKET|MART|STORES?(?=$|[^A-Z])|SHOP|BAKERY|BAKERIES|CAFE|COFFEE|PHARMACY|STATIONERY"
        r"|BOOKS?|COMPANY|SERVICES?$|HOLDINGS|INDUSTR|MARKETING|KEDAI|SYARIKAT|PASARRAYA|PERNIAGAAN|CONFECTIONERY|HOUSE|KITCHEN|SUPPL|HOTEL"
        r"|店|超市|餐厅|餐廳|酒家|酒楼|酒樓|茶餐|药房|藥房|商场|商場|百货|百貨|便利|公司|行$|坊$|馆$|館$|面包|麵包|咖啡"
    ),
    "heading": re.compile(
        r"INVOICE|RECEIPT|CASHBILL|WELCOME|THANK|^TQ|VISITUS|SHOPPINGWITH|COMEAGAIN|COPY|REPRINT|DUPLICATE|BILL|CASHSALE|收据|收據|发票|發票|小票|账单|帳單|凭证|欢迎|歡迎|谢|謝"
    ),
    "registration": re.compile(
        r"GSTID|GSTREG|GSTNO|REGNO|REGN?O|CONO|ROC|COMPANYNO|COMPANYREG|SSTNO|SSTID|TAXID|税号|稅號|商业登记|商業登記|BRNO"
    ),
    "contact": re.compile(
        r"^6?0\d{8,10}$|^TE[L1I]|TE[L1I]\d|^FAX|FAX\d|PHONE|HOTLINE|^HP\d|EMAIL|WWW|HTTP|COM$|COMMY$|电话|電話|传真|傳真|热线|熱線"
    ),
    "buyer": re.compile(r"BILLTO|SOLDTO|CUSTOMER|DELIVER|ATTN|^TO$|客户|客戶|购买方|購買方"),
    "person": re.compile(r"CASHIER|STAFF|SERVER|SALESPERSON|SALESMAN|OPERATOR|USER|PIC$|收银|收銀|店员|店員|服务员"),
    "owned": re.compile(
        r"OWNED|MANAGED|OPERATED|LICENSEE|FRANCHISE|MEMBEROF|DIVISION|BRANCH|FORMERLY|TRADINGAS|TRADEDAS|DOINGBUSINESSAS|分店"
    ),
}

ADDRESS_MARKS: Marks = {
    "street": re.compile(
        r"JALAN|JLN|(?<![A-Z])J[1I]N|LORONG|(?<![A-Z])LRG|LINGKARAN|LINTANG|LEBOH|SOLOK|PERSIARAN|LEBUH|PESIARAN|STREET|(?<=[A-Z0-9])ROAD|(?<=[A-Z])AVE(?:NUE)?(?![A-Z])|BOULEVARD|BLVD|LANE$|DRIVE$|HIGHWAY"
        r"|路|街|大道|巷|弄|里$|胡同"
    ),
    "area": re.compile(
        r"TAMAN|TMN|BANDAR|KAWASAN|SEKSYEN|SECTION|KAMPUNG|PUSAT|MUKIM|DESA|BUKIT|BDR(?=[A-Z])|(?<![A-Z])KG(?=[A-Z])|PERINDUSTRIAN|INDUSTRIAL|KOMPLE[KX]S|WISMA|SQUARE|ARCADE|PARK|ESTATE|GARDENS?|CITY|TOWN|CENTRE|CENTER|PLAZA|MALL|COMPLEX|BUILDING"
        r"|BANGUNAN|MENARA|TOWER|省|市|区|區|县|縣|镇|鎮|乡|鄉|新村|花园|花園|广场|廣場|大厦|大廈|中心|邨"
    ),
    "unit": re.compile(
        r"^(?:HQ|ADD(?:RESS)?)?(?:NO|LOT|UNIT|BLOCK|BLK|SUITE|PTD?|KM)\d|^LOT(?:NO)?P?T?[A-Z]{0,2}\d|^UNIT(?:NO)?[A-Z]{1,2}\d|FLOOR|LEVEL[A-Z]?\d|GR?N?DFL|^FLR|FLR|号|號|楼|樓|室|铺|舖|层|層"
    ),
    "postcode": re.compile(
        r"(?<!\d)(?<!LOT)(?<!PTD)(?:\d{5}(?=[A-Z]{2}|[\u3400-\u9fff]|$)|\d{6}(?=[A-Z]{3}|[\u3400-\u9fff]))|SINGAPORE\d{6}$"
    ),
    "label": re.compile(r"^ADD(?:RESS|R)?(?![A-Z]{2})|^地址|^店址"),
    "town": re.compile(
        r"PETALINGJAYA|SHAHALAM|SUBANGJAYA|SERIKEMBANGAN|IPOH|KLANG(?![A-Z]*LAMA)|SEREMBAN|KUANTAN|KUCHING|KOTA(?:KINABALU|BHARU)|GEORGETOWN|ALORSETAR"
        r"|SUNGAIPETANI|TAIPING|BATU(?:PAHAT|CAVES|GAJAH)|KLUANG|KAJANG|AMPANG|CHERAS|KEPONG|SETAPAK|PUCHONG|RAWANG|SELAYANG|SERDANG|BANGI|CYBERJAYA"
        r"|PASIRGUDANG|SKUDAI|KULAI|SEGAMAT|BUTTERWORTH|BUKITMERTAJAM|NILAI|PORTDICKSON|SEPANG|MASAI|MUAR|MIRI$|SIBU$|SANDAKAN|TAWAU"
        r"|TSIMSHATSUI|MONGKOK|CAUSEWAYBAY|WANCHAI|SHATIN|TSUENWAN|KWUNTONG|YUENLONG|TUENMUN|尖沙咀|旺角|銅鑼灣|铜锣湾|灣仔|湾仔|沙田|荃灣|荃湾"
    ),
    "region": re.compile(
        r"MALAYSIA|SINGAPORE|HONGKONG|KOWLOON|NEWTERRITORIES|CHINA|TAIWAN|USA$|KUALALUMPUR|WILAYAHPERSEKUTUAN|DARUL|JOHOR|SELANGOR|PERAK|PENANG"
        r"|PULAUPINANG|KEDAH|KELANTAN|TERENGGANU|PAHANG|MELAKA|MALACCA|NEGERISEMBILAN|PERLIS|SABAH|SARAWAK|PUTRAJAYA|香港|九龙|九龍|新界|中国|中國|澳门|澳門|台湾|台灣"
    ),
}

NO_ADDRESS = re.compile(
    r"^TE[L1I]|TE[L1I]\d|^FAX|PHONE|^6?0\d{8,10}$|[GC]ST(?:[I1]D|REG|NO)|REGNO|INVOICE|RECEIPT|EMAIL|WWW|HTTP|CASHIER|^DATE|DATE\d|^TIME|TABLE|HOTLINE|SLIP|SHOPPING(?!CENT|MALL|COMPLEX)|HOURS|MEMBER"
    r"|^TO$|BILLTO|电话|電話|税号|稅號|收银|收銀|日期|单号|單號|发票|發票|小票"
)
"""Begins what stands under an address."""
