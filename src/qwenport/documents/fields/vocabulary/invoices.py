"""VAT invoices (fapiao) of all forms, commercial invoices, quota invoices."""

# ruff: noqa: E501 - a line of the table is a field

from __future__ import annotations

from qwenport.documents.fields.vocabulary.concept import vocabulary

FAPIAO = vocabulary(
    "vat invoice",
    "增值税|电子发票|购买方|销售方|价税合计|专用发票|普通发票|税率|开票人|纳税人识别号|密码区|发票监制|购货单位|统一发票",
    """
invoice_title text: 发票名称 | 发票标题 | 发票抬头名称 ;; 票据名称 | 发票种类 | 发票类型
invoice_code digits: 发票代码 | 代码 | invoice code
invoice_number digits: 发票号码 | 号码 | 发票号 | 票号 | invoice number | no | 数电票号码 | 全电发票号码 ;; 票据号码
invoice_date date: 开票日期 | 日期 | 填开日期 | date | invoice date | 开具日期 | 发票日期 | date of issue ;; 开票时间 | 开票日 | issue date
check_code digits: 校验码 | check code | 检验码
machine_number digits: 机器编号 | 税控盘编号 | 机器号码 | 设备编号
buyer_name company: 购买方名称 | 购方名称 | buyer>名称 | 购货单位名称 | 购买方 | 客户名称 | buyer>单位名称 | buyer>name | 付款方名称 | 付款单位 | 付款方 | 买方名称 | 抬头 | 买方 | 买受人 | buyer name | buyer ;; 购方 | 发票抬头 | 客户 | 购买方单位名称 | 购买单位 | 购买方的名称 | 购买单位名称 | customer name | purchaser name | purchaser | 公司抬头 | 购买人
buyer_tax_id tax: 购买方纳税人识别号 | buyer>纳税人识别号 | buyer>统一社会信用代码纳税人识别号 | 购方税号 | 购买方税号 | buyer>税号 | buyer>统一社会信用代码 | 购方纳税人识别号 | 买方税号 | 付款方税号 | 买方统一编号 | buyer tax id ;; 购买方统一社会信用代码纳税人识别号 | 购买方统一社会信用代码 | 购买方识别号 | 客户税号 | buyer tax number | purchaser tax id | 抬头税号
buyer_address address: 购买方地址电话 | buyer>地址电话 | 购方地址电话 | buyer>地址 ;; 购买方地址 | 购买方地址及电话 | buyer address
buyer_bank text: 购买方开户行及账号 | buyer>开户行及账号 | 购方开户行及账号 | buyer>开户银行及账号 ;; 购买方开户行 | 购买方银行账号 | 购买方账号 | buyer bank
seller_name company: 销售方名称 | 销方名称 | seller>名称 | 销货单位名称 | 销售方 | seller>单位名称 | 收款单位 | 收款方名称 | 收款方 | 卖方名称 | 开票单位 | 商家名称 | seller>name | seller name | 卖方 | 营业人 | seller ;; 销方 | 商户 | 开票方 | 销货方 | 销货单位 | 销售方单位名称 | 销售单位 | 销售单位名称 | 开票公司 | 商户名称 | supplier name | vendor name | vendor | company
seller_tax_id tax: 销售方纳税人识别号 | seller>纳税人识别号 | seller>统一社会信用代码纳税人识别号 | 销方税号 | 销售方税号 | seller>税号 | seller>统一社会信用代码 | 销方纳税人识别号 | 收款方税号 | 卖方税号 | 卖方统一编号 | 统一编号 | seller tax id | 税号 | 纳税人识别号 ;; 销售方统一社会信用代码纳税人识别号 | 销售方统一社会信用代码 | 销售方识别号 | seller tax number | 开票方税号
seller_address address: 销售方地址电话 | seller>地址电话 | 销方地址电话 | seller>地址 ;; 销售方地址 | 销售方地址及电话 | seller address
seller_bank text: 销售方开户行及账号 | seller>开户行及账号 | 销方开户行及账号 | seller>开户银行及账号 ;; 销售方开户行 | 销售方银行账号 | 销售方账号 | seller bank
item text: 货物或应税劳务服务名称 | 项目名称 | 货物或应税劳务名称 | 品名 | 服务名称 | 经营项目 | 商品名称 | 货物名称 | 项目 | 货物或应税劳务 ;; 商品 | 服务 | 货物 | 名称 | item | 开票项目 | 品目 | 服务项目 | 应税劳务 | item name
specification text: 规格型号 | 规格 | 型号 | specification
unit text: 单位 | unit | 计量单位
quantity quantity: 数量 | quantity
unit_price money: 单价 | unit price
amount money: 合计金额 | 不含税金额 | 金额合计 | 金额 | 税前金额 | amount | 销售额合计 | 销售额 | 应税销售额 ;; 总金额不含税 | 未税金额 | 合计不含税 | 不含税价 | amount before tax | net amount | subtotal
tax_rate percent: 税率 | 税率征收率 | 征收率 | tax rate
tax money: 合计税额 | 税额合计 | 税额 | tax amount | tax | 营业税 ;; 税金 | 增值税额 | total tax | vat
total money: 价税合计小写 | 小写 | 价税合计 | 合计 | 总计 | 金额小写 | 小写金额 | 总金额 | total | total amount | 实收金额 | 金额 ;; 含税金额 | 含税总额 | 总额 | 价税总额 | 合计金额小写 | 发票金额 | 价税合计金额 | 应付金额 | total including tax | grand total
total_words words: 价税合计大写 | 大写 | 价税合计 | 合计大写 | 金额大写 | 大写金额 | 总计新台币 | total in words | 合计人民币 ;; 合计金额大写 | amount in words | 人民币大写 | 大写合计 | 价税合计金额大写
issuer name: 开票人 | issuer | issued by | 填票人 | 经手人 | 填制人
payee name: 收款人 | payee
reviewer name: 复核 | 复核人 | reviewer
remarks text: 备注 | remarks | remark
cipher text: 密码区
plate plate: 车牌号 | 车牌号码
""",
)

QUOTA = vocabulary(
    "quota invoice",
    "定额发票|通用定额|定额专用|手撕",
    """
invoice_code digits: 发票代码 | 代码
invoice_number digits: 发票号码 | 号码 | 发票号
amount money: 金额 | 面额 | 定额 | 小写 | 面值 | amount ;; 票面金额 | 发票金额 | 小写金额 | 价税合计 | total
amount_words words: 大写金额 | 金额大写 | 大写 | 人民币 ;; 面额大写
issuer company: 收款单位 | 开票单位 | 收款方 | 收款单位名称 | 销售方
""",
)

INVOICE = vocabulary(
    "commercial invoice",
    "invoice|bill to|due date|amount due|subtotal|payment terms|发票|tax invoice|proforma|inv no|balance due",
    """
invoice_number code: invoice number | invoice | invoice id | inv # | document number | bill number | 发票号码 | 发票编号 | 账单编号 | 单号 | number | no | tax invoice no ;; invoice reference | bill no | 编号 | 发票号 | 号码
invoice_date date: invoice date | date of issue | issue date | issued on | date issued | date | billing date | bill date | 发票日期 | 日期 | issued ;; 开票日期 | 开立日期
due_date date: due date | payment due | payment due date | due | pay by | due by | 到期日 | 付款到期日 | 付款期限 | 到期日期 | payment due by ;; 缴费截止日 | pay before | 最后付款日
order_number code: purchase order number | purchase order | order number | po number | your order | order ref | customer po | 订单编号 | 采购单号 | order # ;; purchase order no | 订单号 | customer order
buyer_name company: bill to | billed to | buyer>name | buyer>company | invoice to | sold to | buyer | customer | customer name | client | client name | 客户名称 | 客户 | 致 | attention | 付款人 | 买方 | 收件人 | to ;; bill to name | buyer name | customer company | 购买方名称 | recipient | purchaser
buyer_address address: buyer>address | billing address | customer address | bill to address | 客户地址 ;; buyer address | client address | 账单地址
ship_to address: ship to | delivery address | shipping address | deliver to | 送货地址 ;; ship to address
seller_name company: seller>name | from | seller | supplier | vendor | issued by | company name | 公司名称 | 卖方 | seller name | 供应商 | supplier name | vendor name | billed by ;; company | issuer | merchant | 销售方名称 | 开票公司 | 商家 | sender
seller_address address: seller>address | seller address | company address | 公司地址 | 地址 | address ;; supplier address | vendor address
seller_tax_id code: vat number | tax id | vat reg no | gst no | gst id | tax registration number | abn | ein | 税号 | company reg no | business registration number | vat id | vat no | gst reg no | sst no | tax number ;; tax id number | vat registration number | 商业登记号码 | seller tax id | gst number
subtotal money: subtotal | sub total | net amount | net total | total excl tax | total net | amount before tax | 小计 | total before tax | sub-total | taxable amount ;; 不含税金额 | net
tax money: tax | vat | gst | sales tax | tax amount | total tax | vat amount | gst amount | 税额 | 税项 | total vat | vat total ;; 税
tax_rate percent: tax rate | vat rate | gst rate | 税率
discount money: discount | less discount | 折扣 | 优惠
shipping money: shipping | freight | delivery | shipping and handling | 运费 | postage | delivery charge
total money: total due | amount due | balance due | total amount due | grand total | total amount | invoice total | total payable | total incl tax | total | amount payable | 总计 | 合计 | 总金额 | 应付总额 | 应付金额 | 总额 | total including tax | total to pay | gross total ;; 价税合计 | amount | total price | sum | final amount
currency text: currency | 币种 | 货币
payment_terms text: payment terms | terms | terms of payment | 付款条款 | 付款条件 | 付款方式
bank text: bank | 付款账户 | 银行账户 | 收款账户 | bank account | bank details | 转账账户 | bank name | 银行 | 开户行 | 银行名称 | beneficiary bank
account_name text: account name | 户名 | 账户名称 | beneficiary
account_number card: account number | bank account | 银行账号 | 账号 | a/c no | account | 账户号码 | iban
swift code: swift | swift code | bic | swift bic
phone phone: phone | tel | telephone | 电话 | contact
email email: email | e-mail | 电邮 | 邮箱
total_words words: amount in words | total in words | say | 大写 | 大写金额 | say total
item text: description | item | 项目 | 品名 | 说明 | particulars | item description
quantity quantity: quantity | 数量
unit_price money: unit price | price | rate | 单价
amount money: amount | line total | 金额
sales_person name: salesperson | sales rep | 销售员 | 业务员
customer_number code: customer number | customer id | customer code | account number | client id | 客户编号 | 客户号码
reference code: reference | reference number | our ref | your ref | 参考编号
""",
)
