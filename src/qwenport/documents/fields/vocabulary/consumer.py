"""Shop receipts, utility bills, medical bills, and names that any document may use."""

# ruff: noqa: E501 - a line of the table is a field

from __future__ import annotations

from qwenport.documents.fields.vocabulary.concept import vocabulary

RECEIPT = vocabulary(
    "shop receipt",
    "收据|小票|收银|找零|应收|实收|receipt|cashier|change|cash|thank you|谢谢|多谢|找续|收银员|欢迎光临|购物|tender|台号|埋单|subtotal|gst|超市|茶餐厅|便利店|药房|pharmacy|cafe|sdn bhd|人数|pos|交易号|机号|餐厅|酒家|入单|盛惠",
    """
company company: 店名 | 商户名称 | 商户 | 门店 | 店铺 | 分店 | store | merchant | shop | 门店名称 | merchant name | store name | 商店名称 | 商店 | 店铺名称 ;; 公司 | 公司名称 | 商家 | 商家名称 | 餐厅 | 餐厅名称 | 超市名称 | shop name | company name | vendor | seller | restaurant | 药店名称 | 销售方 | 商号 | 超市 | 饭店名称 | 药店 | 药房 | 药房名称 | 食肆 | 商铺 | 餐馆 | supplier | seller name | business name | company | 店家 | pharmacy | restaurant name | cafe | 食肆名称 | 酒楼
address address: 地址 | 店址 | address | 门店地址 | 分店地址 | 店铺地址 | store address ;; 商户地址 | company address | shop address | location | 商店地址 | 餐厅地址 | 分店
phone phone: 电话 | tel | telephone | 服务热线 | phone | 客服电话 | 联系电话 | 热线 | 订座电话 ;; phone number | 联络电话 | store phone
receipt_number code: 小票号 | 单号 | 流水号 | 收据号码 | 收据编号 | 交易号 | 交易编号 | 账单号 | 单据号 | 收据号 | 订单号 | receipt number | receipt # | bill number | bill no | check # | check number | invoice number | trans no | transaction number | transaction id | slip no | doc no | order number | trx | txn | trn | no | 编号 | 票号 | 结账单号 | 序号 | document no | ticket no | tran | trans | cb | ref no | order # | 账单编号 | 发票号码 | inv no ;; receipt id | 小票编号 | 流水 | bill id | 小票流水号 | transaction | invoice no | bill | check no
date date: 日期 | 交易日期 | date | 消费日期 | 销售日期 | 打印日期 | 购买日期 | trans date | 开单日期 | invoice date | bill date | 结账日期 ;; transaction date | purchase date | receipt date | 用餐日期 | date of purchase | 购物日期 | 结账时间
time time: 时间 | 交易时间 | time | 打印时间 | 结账时间 | 消费时间 ;; transaction time | 购物时间
datetime datetime: 日期时间 | 交易时间 | 时间 | 打印时间 | 结账时间 | 日期 | date time | date/time | 销售时间 | 结账日期 | 开单时间 ;; 交易日期时间 | 消费时间 | 日期和时间 | datetime | date and time | 购物时间 | 交易日期和时间 | 下单时间 | 日期及时间
cashier text: 收银员 | 收款员 | 营业员 | cashier | served by | server | 店员 | 操作员 | 收银 | operator | 服务员 | staff | 经手人 | 侍应 | your server | clerk | 收银员号 | 经办人 | barista | salesperson ;; 收款人 | cashier name | waiter | 员工 | 职员 | sales person
register text: 收银机 | 机号 | pos | 款台 | register | terminal | till | 收银台 | pos机号 | pos号 | 柜台 | reg | lane | counter | station ;; pos no | 机台 | terminal id | 收银机号
table text: 台号 | 桌号 | table | 枱号 | 桌台 | table no | 餐台 ;; 座位 | table number | 台
guests quantity: 人数 | 客数 | guests | covers | pax | 用餐人数 | persons | no of guests | 位 ;; number of guests | 客人数 | 用餐人数
item_count quantity: 件数 | 数量合计 | 总数量 | 总件数 | 商品件数 | items | item count | total items | no of items | total qty | 合计件数 | 件数合计 | 合计数量 | items sold | 数量 | qty total | 共计件数 ;; 商品数量 | number of items | 总数 | number of items sold
subtotal money: 小计 | 合计 | 商品合计 | subtotal | sub total | sub-total | 消费合计 | 原价合计 | 食品小计 | 消费金额 | 菜品合计 | total excluding gst | net | amount before tax ;; 小计金额 | net amount | 商品总额
discount money: 优惠 | 折扣 | 优惠金额 | discount | 已优惠 | 折让 | 会员优惠 | 减免 | savings | you saved | member discount | 折扣优惠 | coupon ;; 折扣金额
service_charge money: 服务费 | 加一 | 加一服务费 | service charge | 10% service charge | service | svc chg | 服务费10 | 加一服务 ;; service fee | 服务收费
tax money: 税额 | tax | gst | sst | vat | sales tax | tax amount | total tax | total gst | 税 | service tax | 消费税 ;; 税费 | gst amount
tip money: 小费 | tip | gratuity
rounding money: 抹零 | rounding | rounding adjustment | 舍入 | rounding adj | 抹零金额
total money: 应付总额 | 应付金额 | 应收金额 | 应收 | 应付 | 实付金额 | 总计 | 总金额 | 合计金额 | 应付合计 | grand total | total amount payable | total amount due | total payable | amount due | total due | balance due | net total | total sales inclusive of gst | total inclusive of gst | total incl gst | rounded total | total rm | total rounded | nett total | total amount | 合计 | 总额 | total | 结账金额 | 共计 | 本次消费 | 合计应付 | total sale | balance to pay | 盛惠 | 总数 | 应收合计 | 应收总额 | 实收金额 | net amount due | total aud | total usd | total hkd | 埋单 | 结余 ;; 金额 | 消费金额 | amount | 消费总额 | 消费总金额 | 总消费 | total price | total sum | 价钱 | 合计总额 | sum | final total | 应缴金额 | 结账总额 | 账单金额 | 账单总额 | 总价
paid money: 实收 | 实收金额 | 实付 | 现金 | 付款 | 支付 | 微信支付 | 支付宝 | 收现 | cash | 支付金额 | amount paid | tendered | paid | cash tendered | visa | mastercard | card | payment | 八达通 | 付款金额 | 收款 | 已付 | 银联卡 | debit | octopus | cash paid | tender | 微信 | 客付 | 现金支付 ;; paid amount | 收款金额 | 实付金额 | cash received | 已收 | 实际支付 | 收银金额 | 现金付款
change money: 找零 | 找续 | 找赎 | change | 找回 | change due | 找补 | 找零金额 | your change | 找钱 ;; 找零额
payment_method text: 支付方式 | 付款方式 | payment method | paid by | payment type | 结账方式 | 付款 | payment | tender type | 支付类型 ;; 结算方式 | 支付渠道 | method of payment | pay method | 付款方法
member code: 会员号 | 会员卡号 | 会员 | member no | member id | membership no | 会员编号 | 卡号 | member | loyalty no | rewards # ;; 会员号码
points number: 剩余积分 |  积分 | 本次积分 | points | 会员积分 | points earned
gst_number code: gst reg no | gst id | gst no | sst no | tax id | vat no | abn | gst id no | sst id | 税号 | vat reg no | gst registration no | sst reg no | sst registration no | tax reg no ;; tax number | gst number | gst registration number | vat number | sst number | tax registration number | sst registration number
company_number code: company reg no | co reg no | reg no | registration no | 商业登记号码 | co no | brn | roc no ;; company registration number | registration number | company number
seller_tax_id tax: 卖方统一编号 | 统一编号 | 卖方 | 统编 ;; 卖方税号 | 卖方统编 | seller tax id
buyer_tax_id tax: 买方统一编号 | 买方 | 买方统编 ;; 买方税号
random_code code: 随机码 | random code
invoice_period text: 发票期别 | 期别 ;; 发票月份 | invoice period
prescription code: rx number | rx | prescription number | 处方号 | 处方编号 | 配药编号 ;; prescription
pharmacist name: 药师 | 药剂师 | pharmacist | 配药员
patient name: 患者 | 病人 | 姓名 | patient | patient name | 患者姓名 | 病人姓名
authorisation code: 授权码 | approval code | auth code | 参考号 | auth no | appr code
card_number card: 卡号 | card no | card number | account
""",
)

UTILITY = vocabulary(
    "utility bill",
    "电费|水费|交费|燃气|煤气|账单|用电|用水|抄表|缴费|bill|meter|electricity|kwh|water|gas|户号|本期|到期日|账户号码|用量|宽带|电讯|电费单|水费单|statement date|tariff|立方米|account number",
    """
account_number code: 户号 | 用户编号 | 客户编号 | 账户号码 | 用户号 | 账号 | account number | account | customer number | 客户号 | 缴费号 | 账户编号 | 用户户号 | customer account | 户口号码 | 客户户号 | 用户号码 | 账单户口 | customer id | 缴费户号 ;; 缴费编号 | 编号 | customer account number | 帐户号码 | account no | 户口
customer name: 户名 | 用户名称 | 客户名称 | 用户名 | 姓名 | customer name | account name | account holder | name | 客户姓名 | 用户姓名 | 客户 | bill to | 注册客户名称 | 登记用户 | 账户名称 | customer | 用户 ;; 用户 | 注册用户 | consumer name
address address: 用电地址 | 用水地址 | 地址 | 用气地址 | 供电地址 | 安装地址 | supply address | service address | 服务地址 | 住址 | 用户地址 | premises | address | 供应地址 | site address | property address | premises address ;; 用户住址 | 客户地址 | customer address | 楼宇地址 | 供水地址
bill_number code: 账单编号 | 账单号 | 发票号码 | bill number | bill no | invoice number | statement number | 账单号码 | 单号 | 凭证号 | invoice no ;; bill id | 编号 | 单据编号
bill_date date: 账单日期 | 开单日期 | 出账日期 | 发单日期 | bill date | statement date | issue date | date of bill | 日期 | invoice date | 发出日期 | date issued | 出单日期 | 开账日期 | date of issue | date | 结单日期 ;; 打印日期 | billing date
period period: 计费月份 | 账单月份 | 用电月份 | 费用月份 | 计费周期 | 账单周期 | 结算周期 | 用电周期 | 抄表周期 | billing period | bill period | 账期 | 用电期间 | 计费期间 | 用水周期 | service period | 结算期间 | 账单期间 | 计费时段 | 期间 | 用气周期 | supply period | 收费期 | period | 计算期 ;; 电费年月 | 周期 | statement period | 费用周期 | 计费期 | 收费期间
due_date date: 缴费到期日 | 请于 | 缴费截止日期 | 到期日 | 缴费期限 | 最迟缴费日 | 付款期限 | due date | payment due date | pay by | 截止日期 | 最后缴款日 | 缴费截止日 | 请于以下日期前缴付 | 缴费限期 | 最后缴费日期 | 缴款期限 | 最后付款日期 | 到期付款日 | 最后缴费日 | payment due | please pay by | 付款到期日 | 到期缴费日 | 缴付限期 | 缴款截止日 | 到期日期 ;; 缴费截止时间 | 到期缴款日 | pay before
meter_number code: 表号 | 电表号 | 水表号 | 电能表编号 | 电表编号 | 水表编号 | meter number | meter no | 仪表编号 | 燃气表号 | 气表号 | 水表号码 | 电表号码 | meter id ;; 表具编号 | meter serial number
previous_reading number: 上期示数 | 上次读数 | 上期读数 | 上次示数 | 起码 | previous reading | 上期表数 | 上次抄表读数 | 上次抄见 | 上期抄表数 | 上月读数 | last reading | 前次读数 | 上期止度 | 前次抄表 | 上次止码 ;; 上期表底 | 上月示数 | 起始读数
current_reading number: 本期示数 | 本次读数 | 本期读数 | 本次示数 | 止码 | current reading | present reading | 本期表数 | 今次读数 | 本次抄见 | 本期抄表数 | 本月读数 | this reading | latest reading | 本期止度 | 今期读数 | 本次抄表 ;; 本期表底 | 本月示数 | 结束读数
usage quantity: 用电量 | 用水量 | 用气量 | 电量 | 水量 | 本期用量 | 用量 | consumption | usage | units used | units consumed | 本期电量 | 实用电量 | 本期用电量 | 耗电量 | 耗用量 | 总用电量 | 本期用水量 | 本期水量 | total usage | electricity used | 计费电量 | total consumption | 实用水量 | 合计电量 | energy used | water used | gas used | kwh used | 气量 | 计费水量 ;; 用电度数 | 总用量 | 用水吨数 | 使用量
unit_price money: 单价 | 电价 | 水价 | unit price | rate | tariff | 气价 | price per unit
previous_balance money: 上期结余 | 上期欠费 | previous balance | 上期余额 | balance brought forward | 往期欠费 | 承上结余 ;; 上次结余 | 上期账单金额
current_charges money: 本期费用 | 本期电费 | 本期应缴 | current charges | new charges | 本期收费 | 本月费用 | 本期水费 | 电费 | 水费 | energy charge | 本期账单 | electricity charges ;; 本期金额
late_fee money: 滞纳金 | 违约金 | late fee | late payment charge
tax money: 税额 | tax | gst | vat
total money: 应缴金额 | 应交电费 | 应交水费 | 请付 | 请缴付 | 请付金额 | 应付金额 | 应缴总额 | 应缴费用 | 应缴电费 | 总金额 | 合计 | 应付总额 | 应缴合计 | amount due | total amount due | total due | total amount payable | amount payable | 总额 | 应缴款额 | 应交金额 | 应收电费 | 合计金额 | 应缴水费 | total | 电费合计 | 缴费总额 | 总计 | 应缴 | 应付 | 本期应缴金额 | 应缴付总额 | 本期应付金额 | 应付款项 | balance due | 结欠总额 | 本期应付 | 本期电费合计 | pay this amount | 应缴款项 | 应付款额 | 合计应缴 | total charges | 本期应缴费用 | 缴款金额 ;; 金额 | 费用 | 账单金额 | 应付账款 | total amount | 缴费金额 | 账单总额 | amount | 电费金额 | 费用合计 | 水费合计 | 总费用
deposit money: 按金 | deposit
supplier company: 供电单位 | 供电公司 | 供水公司 | 收费单位 | 燃气公司 | supplier | provider | company | 开单单位 ;; 公司 | 公司名称 | 服务商 | 单位名称 | company name | utility company | 供水单位 | 供应商
phone phone: 客服热线 | 服务热线 | 客户服务热线 | 电话 | customer service | hotline | tel | 联系电话 | 查询热线 ;; 客服电话 | 热线
read_date date: 抄表日期 | 读表日期 | meter reading date | reading date | 下次抄表日期
tariff_kind text: 用电类别 | 用户类别 | 电价类别 | 用水性质 | tariff type | 用水类别 | 类别 | 收费类别 | customer type ;; 用电性质 | tariff plan
""",
)

PAYMENT = vocabulary(
    "payment receipt",
    "兹收到|今收到|收据|租金|业主|租客|房东|landlord|tenant|received from|the sum of|收款收据|交来|事由|支票|rent",
    """
receipt_number code: 收据编号 | 收据号码 | 编号 | 单号 | receipt number | no | number | 收据号 ;; 号码
date date: 日期 | 收款日期 | date | 开具日期 | 收据日期 | 入账日期 ;; 付款日期
payer company: 兹收到 | 今收到 | 收到 | 交款单位 | 交款人 | 付款人 | 付款单位 | 缴款人 | 缴款单位 | received from | payer | 租客 | 租客姓名 | tenant | 租户 | 承租人 | 来自 ;; 交款方 | 付款方 | tenant name | paid by | 客户名称 | 缴费人 | customer
address address: 物业地址 | 单位地址 | 地址 | property address | premises | address | 房屋地址 | 租赁地址 | property
amount money: 金额 | 小写 | 租金 | 租金金额 | 收款金额 | 金额小写 | amount | rent | the sum of | 合计 | 人民币小写 | 共收 | 实收 | 总额 | amount received | 收费 | total ;; 总金额 | total amount | 收到金额 | amount paid | 租金数额
amount_words words: 大写 | 金额大写 | 人民币 | 大写金额 | 租金金额 | 金额 | 合计大写 | 人民币大写 | 港币 | the sum of | the sum of dollars ;; amount in words
purpose text: 事由 | 收款事由 | 款项 | 用途 | 交来 | 收费项目 | being payment for | for | 摘要 | 系付 | 项目 | in payment of | payment for | being ;; purpose | 收款项目 | 款项内容 | 费用项目
period period: 租期 | 租赁期间 | 期间 | period | rental period | 租用期 | 月份 ;; 租金期间 | 租赁期
cheque_number code: 支票号码 | 支票号 | cheque number | check number | cheque no
payee company: 收款单位 | 收款人 | 业主 | 房东 | 业主签署 | landlord | received by | 收款人签署 | payee | 出租人 | 业主姓名 | 房东签名 | 收款方 | signed by ;; landlord name | 收款 | 业主名称
payment_method text: 付款方式 | 支付方式 | 收款方式 | payment method | paid by
handler name: 经手人 | 经办人 | 开票人 | cashier | 出纳 | 收款员
""",
)

MEDICAL = vocabulary(
    "medical invoice",
    "医疗|门诊|住院|病历|医院|挂号|诊所|医保|诊断|处方|hospital|patient|clinic|medical|病人|西药费|统筹|患者|药费|doctor|dr.|科室|diagnosis",
    """
invoice_code digits: 票据代码 | 发票代码 | 代码
invoice_number digits: 票据号码 | 发票号码 | 号码 | 票号 | invoice number | 收据号码 | receipt number | bill no | 收据编号 ;; 单据号 | 收据号 | 票据编号 | 发票号
check_code code: 校验码
patient name: 姓名 | 患者姓名 | 病人姓名 | 交款人 | 缴款人 | patient | patient name | 患者 | 病人 | name | name of patient | 求诊者 ;; 就诊人 | 付款人 | 名字 | 交款人姓名 | 就诊人姓名 | 求诊者姓名
gender gender: 性别 | sex | gender
age text: 年龄 | age
id_number person: 身份证号 | 证件号码 | 身份证号码 | id number | hkid | 身份证号码
payer_code code: 交款人统一社会信用代码 | 交款人信用代码
outpatient_number code: 门诊号 | 病历号 | 就诊号 | 住院号 | patient id | medical record number | mrn | 患者编号 | 门诊编号 | 就诊卡号 | patient no | 病历编号 | chart no | 病人编号 | 业务流水号 | case no | 登记号 ;; 病历号码 | patient number | 病案号 | 档案编号
visit_date date: 就诊日期 | 诊症日期 | visit date | date of visit | 门诊日期 | 求诊日期 | date of service | service date | consultation date | 入院日期 | 就医日期 ;; 看病日期 | 就诊时间 | 应诊日期 | consultation
department text: 科室 | 科别 | 就诊科室 | department | 科 | 门诊科室 | specialty ;; 就诊科别 | 开单科室
doctor name: 医生 | 医师 | 主治医生 | 主诊医生 | doctor | physician | attending doctor | 接诊医生 | 开单医生 | consultant | attending physician | 处方医生 | 医师姓名 | 驻诊医生 ;; 医生姓名 | 诊治医生 | 看诊医生 | doctor name
diagnosis text: 诊断 | 临床诊断 | diagnosis | 病症 | 诊断结果
hospital company: 收款单位 | 医疗机构 | 医院 | 医院名称 | hospital | clinic | 诊所 | 医疗机构名称 | 收费单位 | 诊所名称 ;; 就诊医院 | hospital name | clinic name | 单位名称 | 机构名称 | provider | 医疗单位
hospital_type text: 医疗机构类型 | 医院类型
insurance_kind text: 医保类型 | 医保类别 | insurance | insurance type | 参保类型 | 医疗付费方式 ;; 结算类型 | 医保种类
insurance_number code: 医保编号 | 社保号 | 社会保障号码 | 医保号 | policy number | insurance number | insurance no | policy no | 医保卡号 ;; 社会保障卡号
fund_payment money: 医保统筹基金支付 | 医保支付 | 统筹支付 | 医保统筹支付 | insurance paid | 基金支付 | 医保基金支付 | insurance payment | 医保报销 | 医保报销金额 | insurance coverage | 统筹基金支付 ;; 医保金额 | 统筹金额 | 报销金额 | 医保统筹
account_payment money: 个人账户支付 | 个人账户 | 账户支付 | 医保账户支付 ;; 个人账户支付金额
personal_payment money: 个人自付 | 个人支付 | 个人现金支付 | 自付金额 | 现金支付 | patient pays | patient paid | 自付 | 自费 | 个人自费 | 个人负担 | 个人承担 | 自付费用 | patient portion | patient responsibility | 个人缴费 | 病人自付 ;; 个人支付金额 | 自费金额 | 个人自付金额 | copay
consultation_fee money: 诊查费 | 诊金 | 挂号费 | consultation fee | 诊疗费 | consultation | 诊察费 | 诊症费
drug_fee money: 西药费 | 药费 | medication | 中成药费 | 药品费 | medicine ;; 药物费用
examination_fee money: 检查费 | 化验费 | 检验费 | laboratory
total money: 金额合计小写 | 金额合计 | 合计 | 小写 | 总金额 | 费用合计 | total | total amount | 总额 | amount due | 总计 | 收费总额 | 费用总额 | 合计金额 | 总费用 | total charges | 医疗费总额 | 医疗费用总额 | total due | 应收总额 | 应付金额 | 应缴金额 | balance due | grand total | 总收费 | 共计 | amount payable ;; 金额 | 金额小写 | 总共 | 小写金额 | 应付总额 | total fee
total_words words: 金额合计大写 | 大写 | 合计大写 | 大写金额 | 金额大写 ;; 合计金额大写 | amount in words
invoice_date date: 开票日期 | 日期 | 收费日期 | invoice date | date | 结算日期 | 缴费日期 | 打印日期 | 收款日期 | bill date | statement date ;; 缴款日期 | receipt date | 发票日期 | 收据日期
payee name: 收款人 | 收费员 | 收款员 | cashier | 收费人 | 经手人
reviewer name: 复核人 | 复核
payment_method text: 支付方式 | 付款方式 | payment method | paid by ;; 结算方式
""",
)

GENERAL = vocabulary(
    "any document",
    "",
    """
name name: 姓名 | name | 联系人 | contact | contact person ;; 名字 | full name
company company: 公司名称 | 单位名称 | 公司 | 单位 | company | company name | organisation ;; 企业名称
address address: 地址 | address | 住址 | 联系地址
phone phone: 电话 | 联系电话 | 手机 | tel | phone | 联络电话 | mobile | 电话号码 | 手机号码
fax phone: 传真 | fax
email email: 邮箱 | 电子邮箱 | email | 电邮 | e-mail
date date: 日期 | date
time time: 时间 | time
amount money: 金额 | 总金额 | 合计 | 总计 | amount | total | total amount
number code: 编号 | 单号 | 号码 | number | no | reference number
payee text: 收款人 | payee
gender gender: 性别 | sex | gender
""",
)
