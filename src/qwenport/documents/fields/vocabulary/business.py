"""Business licences and registrations, contracts, purchase orders, delivery notes."""

# ruff: noqa: E501 - a line of the table is a field

from __future__ import annotations

from qwenport.documents.fields.vocabulary.concept import vocabulary

BUSINESS = vocabulary(
    "business licence",
    "营业执照|统一社会信用代码|法定代表人|注册资本|经营范围|登记机关|商业登记|business registration|成立日期|certificate of incorporation|税务局|inland revenue|负责人|组成形式|公司注册证明书|business license|business licence|registrar of companies|business profile|incorporated",
    """
credit_code tax: 统一社会信用代码 | 社会信用代码 | 信用代码 | unified social credit code | 统一信用代码 ;; 注册号 | 税号 | credit code | usci | 纳税人识别号
registration_number code: 注册号 | 登记证号码 | 商业登记证号码 | business registration number | certificate number | br no | 登记证号 | 商业登记号码 | registration number | 公司注册编号 | company number | certificate no | uen | entity number | file number | 唯一业务识别码 | unique business identifier | ubi ;; 注册编号 | 登记号码 | br number | 公司编号 | 证书编号 | company registration number
licence_number code: 证照编号 | 编号 | 执照编号 | certificate serial no | licence number | business licence number | permit number ;; 证照号 | 营业执照编号
name company: 名称 | 企业名称 | 公司名称 | 业务法团名称 | 业务法团所用名称 | name of business | name of business corporation | name | company name | name of corporation | 法团名称 | 业务名称 | 字号名称 | 商号 | 单位名称 | name of company | business name | name of business/corporation | registered name | entity name | legal name | corporate name ;; 商户名称 | 营业执照名称 | 公司 | 企业名 | corporation name | 公司或业务名称 | 公司名
branch_name company: 分行名称 | business branch name | 业务分行名称 | name of branch | business/branch name ;; 业务名称 | trade name | trading name
kind text: 类型 | 公司类型 | 企业类型 | 主体类型 | type | 主体类别 | type of company | company type | entity type | business type | type of business | licence type | type of licence ;; 企业类别 | 市场主体类型 | 类别
legal_person name: 法定代表人 | 法人 | 负责人 | 经营者 | 投资人 | 执行事务合伙人 | legal representative | 法定代表人姓名 | 经营者姓名 | 法人代表 ;; 法人姓名 | 代表人 | legal person | 法定代表 | operator
owner name: owner | proprietor | licensee | business owner | owner name | name of owner | 业主
organisation_form text: 组成形式 | organisation form
capital text: 注册资本 | 注册资金 | registered capital | paid up capital | share capital | issued capital | authorized capital | 出资额 | 资金数额 | 成员出资总额 ;; 资本 | 注册资本金 | capital
founded date: 成立日期 | 注册日期 | date of establishment | 成立时间 | establishment date | date of incorporation | 注册成立日期 | 开业日期 | date established | incorporation date | incorporated on | date of formation ;; 创立日期 | founded | 设立日期
period period: 营业期限 | 经营期限 | 有效期 | 合伙期限 | operating period | business term | 有效期限 | term of operation ;; 营业期 | validity
commencement date: 生效日期 | date of commencement | 开始日期 | commencement date ;; effective date | start date
expiry date: 届满日期 | date of expiry | expiry date | 有效期至 | expiration date | expires | expires on | valid until | valid through ;; 到期日 | 失效日期 | 屆满日
address address: 住所 | 地址 | 经营场所 | 主要经营场所 | 营业场所 | 注册地址 | address | 生产经营地 | 经营地址 | domicile | business address | registered address | place of business | registered office address | registered office | business location | location | principal place of business ;; 公司地址 | 企业地址 | 住址 | 场所 | 营业地址 | 企业住所
scope long: 经营范围 | business scope | scope of business | 业务范围 | 主营项目 | principal activity | business activity | line of business ;; 营业范围 | 经营项目
business_nature text: 业务性质 | nature of business | 业务性质 ;; business nature | 行业 | nature
status text: 法律地位 | status | 法律状况 | legal status | status of company | company status | entity status ;; 法律身份 | 法团性质
fee money: 登记费 | fee and levy | 登记费及征费 | registration fee | fee | 应缴费用 | 费用及征费 | total ;; fees | 缴费总额 | 登记费用 | 收费 | 登记费总额
registrar text: 登记机关 | registration authority | 发证机关 | registrar | registrar of companies | issued by ;; 注册机关 | issuing authority | 签发机关
issue_date date: 发照日期 | 核准日期 | 登记日期 | 发证日期 | date of issue | issue date | 发出日期 | 签发日期 | date issued | issued on | issued ;; 颁发日期 | registration date
organisation_code code: 组织机构代码
""",
)

CONTRACT = vocabulary(
    "contract",
    "甲方|乙方|合同|协议书|agreement|party a|party b|合约|contract|whereas|签订",
    """
contract_number code: 合同编号 | 合同号 | 协议编号 | contract no | agreement number | 编号 | contract number ;; contract id | 合约编号
title text: 合同名称 | 项目名称 | 协议名称 | title | contract name | project ;; 合同标题 | subject
party_a company: 甲方 | 发包方 | 委托方 | 出租方 | 买方 | 需方 | 采购方 | party a | 出租人 | 甲方名称 | lessor | landlord | 购货方 | buyer | client | the first party ;; 甲方单位 | first party | employer
party_b company: 乙方 | 承包方 | 受托方 | 承租方 | 卖方 | 供方 | 供应方 | party b | 承租人 | 乙方名称 | lessee | tenant | 供货方 | seller | contractor | the second party | supplier ;; 乙方单位 | second party | employee
sign_date date: 签订日期 | 签约日期 | 签署日期 | date | date of signing | dated | signing date | 日期 | 签订时间 | agreement date | contract date ;; 合同日期 | signed on | date of agreement | 签字日期
sign_place text: 签订地点 | 签约地点 | place of signing
amount money: 合同金额 | 合同总价 | 合同价款 | 总金额 | 总价 | 金额 | contract price | contract amount | 合同总金额 | 总价款 | 小写 | 服务费用 | contract value | contract sum ;; 合同额 | total amount | 价款 | amount | total
amount_words words: 大写 | 金额大写 | 人民币大写 | 合同金额大写 ;; 大写金额 | amount in words
period period: 合同期限 | 有效期 | 租赁期限 | 服务期限 | term | 履行期限 | 租期 | contract period ;; 期限 | duration | validity
start_date date: 开始日期 | 生效日期 | 起始日期 | commencement date | effective date | start date ;; 合同开始日期
end_date date: 结束日期 | 终止日期 | 截止日期 | end date | expiry date | 到期日 ;; 合同结束日期 | expiration date
representative_a name: 甲方代表 | buyer>代表人 | buyer>授权代表 | buyer>法定代表人 | buyer>代表 | buyer>签署人 | buyer>represented by | 甲方代表人 | party a representative
representative_b name: 乙方代表 | seller>代表人 | seller>授权代表 | seller>法定代表人 | seller>代表 | seller>签署人 | seller>represented by | 乙方代表人 | party b representative
legal_person name: 法定代表人
address address: 地址 | 住所 | address
phone phone: 电话 | 联系电话 | tel
""",
)

ORDER = vocabulary(
    "purchase order",
    "采购订单|采购单|purchase order|订购单|供应商|vendor|p.o.|订货单|交货日期|ship to",
    """
order_number code: 采购订单号 | 订单编号 | 采购单号 | 订单号 | 订购单号 | 单号 | purchase order number | po number | order number | order no | 编号 | po # | 订单号码 | p.o. number | p.o. no | 单据编号 | 采购编号 | 订购单编号 ;; purchase order no | 采购订单编号 | 采购订单号码 | po | 采购单编号
order_date date: 订单日期 | 下单日期 | 采购日期 | 订购日期 | order date | po date | date | 日期 | 制单日期 | date of order | 单据日期 | date issued ;; purchase order date | 开单日期 | issue date
buyer company: 采购方 | 需方 | 买方 | 购货单位 | 采购单位 | buyer | bill to | purchaser | 订购单位 | buyer>名称 | 客户 | 客户名称 | 订货单位 | 采购公司 | ordered by | 买方名称 ;; 采购方名称 | buyer name | 购方 | customer | 买方公司 | company | 购买方 | buyer company
supplier company: 供应商 | 供方 | 卖方 | 供货单位 | 供应商名称 | supplier | vendor | seller | 供货商 | vendor name | 厂商 | 供应方 | supplier name | 厂商名称 ;; 供应商公司 | 供方名称 | 卖方名称
contact name: 联系人 | 采购员 | 采购人 | contact | contact person | attention | attn | 经办人 | 采购联系人 | buyer contact ;; contact name | 采购经办人
phone phone: 电话 | 联系电话 | tel | phone ;; 联络电话
delivery_date date: 交货日期 | 交货期 | 送货日期 | delivery date | required date | 要求到货日期 | 到货日期 | delivery by | required by | deliver by | 预计交货日 | due date | date required | 交期 | 交付日期 ;; 期望交货日期 | ship date | expected delivery
delivery_address address: 交货地点 | 交货地址 | 送货地址 | 收货地址 | ship to | deliver to | delivery address | 送货地点 | 交付地点 | shipping address | 收货地点 ;; ship to address
payment_terms text: 付款方式 | 付款条件 | 结算方式 | payment terms | terms | 付款条款 | terms of payment | 支付方式 ;; payment | payment term
shipping_method text: 运输方式 | ship via | shipping method | 交货方式 | 送货方式 | delivery terms | incoterms ;; 贸易条款
subtotal money: 小计 | subtotal | sub total | net total | 未税合计 | 未税金额
tax money: 税额 | tax | vat | 税金 | gst | sales tax
tax_rate percent: 税率 | tax rate
shipping money: 运费 | shipping | freight
total money: 总计 | 合计 | 总金额 | 合计金额 | 订单总额 | grand total | total amount | order total | total | 总额 | 采购总额 | 订单金额 | total due | 金额合计 | 含税合计 | po total | total value ;; 订单总金额 | amount | 金额
total_words words: 大写 | 合计大写 | 人民币大写 | 金额大写 | 大写金额 | amount in words
maker name: 制单 | 制单人 | prepared by | 制表人
approver name: 审核 | 批准 | 审批 | approved by | 审核人 | 批准人 | authorised by | authorized by | 核准
remarks text: 备注 | remarks | notes
currency text: 币种 | currency | 货币
item text: 品名 | 物料名称 | 产品名称 | 商品名称 | description | item | 名称 | 货品名称
quantity quantity: 数量 | quantity
unit_price money: 单价 | unit price
amount money: 金额 | amount | line total
""",
)

DELIVERY = vocabulary(
    "delivery note",
    "送货单|发货单|出库单|收货人|签收|delivery note|packing list|delivery order|交货单|货运|运单|consignee|快递|waybill|received by|送货",
    """
note_number code: 送货单号 | 单号 | 送货单编号 | 编号 | 发货单号 | 出库单号 | delivery note number | delivery note no | dn number | note number | 交货单号 | delivery number | no | delivery order no | do no | 单据编号 | d/n no | dn ;; delivery note | 送货编号 | 运单号 | 快递单号
date date: 送货日期 | 日期 | 发货日期 | 出库日期 | delivery date | date | dispatch date | 交货日期 | 开单日期 | ship date | date of delivery | 发出日期 ;; 送货时间
order_number code: 订单号 | 订单编号 | 采购单号 | order number | po number | your order no | 客户订单号 | order ref | 关联订单 | customer order | customer po ;; purchase order number | 客户订单 | purchase order
customer company: 收货单位 | 客户名称 | 客户 | 收货方 | 购货单位 | 购买单位 | customer | deliver to | consignee | ship to | 送货至 | customer name | 客户宝号 | 宝号 | delivered to | recipient company ;; 收货公司 | recipient | 收件单位 | buyer
sender company: 送货单位 | 发货单位 | 供货单位 | 供应商 | supplier | sender | shipper | from | 发货方 | 发货公司 | dispatched by | 供货商 ;; company | 寄件单位 | 公司名称 | 送货公司
receiver name: 收货人 | 签收人 | 收件人 | received by | receiver | 收货人签字 | 收货联系人 | 收货人签名 | 签收 | 联络人 | contact | 联系人 ;; recipient name | signed by
address address: 收货地址 | 送货地址 | 地址 | delivery address | address | 交货地址 | 收件地址 | 送货地点 | 收货地点 | deliver to | ship to | ship to address ;; 客户地址 | deliver to address
phone phone: 联系电话 | 电话 | 收货电话 | tel | phone | contact number | 联络电话 | 收货人电话 ;; 手机 | telephone
driver name: 送货人 | 司机 | 送货员 | driver | delivered by | driver name ;; 司机姓名 | 送货司机
plate plate: 车牌号 | 车号 | 车牌 | vehicle number | vehicle | vehicle reg | truck no ;; 车牌号码 | vehicle no | plate
warehouse text: 仓库 | 出货仓库 | warehouse
total_quantity quantity: 总数量 | 合计数量 | 数量合计 | total quantity | total qty | total units | total pieces | pieces | 总件数 | 件数 | packages | total cartons | total packages | 总箱数 | no of packages | cartons | 合计件数 ;; 数量 | 总数 | number of packages
weight quantity: 重量 | 总重量 | weight | gross weight | total weight | 毛重
total money: 合计金额 | 总金额 | 合计 | 总计 | total amount | total ;; 金额 | grand total
total_words words: 大写金额 | 合计大写 | 大写
maker name: 制单人 | 制单 | 开单人 | prepared by | 经手人 | 经办人
checker name: 审核 | 审核人 | checked by | 复核
keeper name: 仓管 | 仓管员 | 发货人 | 库管
carrier text: 承运商 | 物流公司 | carrier | 快递公司 | 承运单位
tracking_number code: tracking number | tracking | 运单号 | 物流单号 | 快递单号 | waybill number | 追踪编号
remarks text: 备注 | remarks
item text: 品名 | 货品名称 | 商品名称 | 产品名称 | description | item
""",
)
