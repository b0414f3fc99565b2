"""Identity cards, passports, driving and vehicle licences, permits, bank cards, name cards."""

# ruff: noqa: E501 - a line of the table is a field

from __future__ import annotations

from qwenport.documents.fields.vocabulary.concept import vocabulary

IDENTITY = vocabulary(
    "identity card",
    "公民身份号码|居民身份证|签发机关|有效期限|身份证|永久性居民|identity card|hong kong permanent|香港永久性居民身份证|identity|居留|出生日期|民族|住址|residence permit|identification card|national id",
    """
name name: 姓名 | name ;; 名字 | 中文姓名 | full name | 姓名中文 | chinese name | 持证人姓名 | 持证人 | holder
english_name name: 英文姓名 | name | english name | 姓名英文 ;; name in english | 姓名拼音 | latin name
surname name: 姓 | surname | family name | last name | ln
given_names name: 名 | given names | given name | 名字 | first name | forenames | fn
name_codes text: 电码 | 中文商用电码 | chinese commercial code | 姓名电码 ;; ccc | 商用电码 | 姓名电码号 | chinese commercial codes | 电报码
gender gender: 性别 | sex | gender
nation nation: 民族 | ethnicity | nationality | ethnic group ;; 族别
nationality text: 国籍 | nationality | 国籍地区 | nationality region
birth date: 出生 | 出生日期 | date of birth | 出生年月日 | birth | born ;; 生日 | 出生年月 | 生年月日
birth_place text: place of birth | country/place of birth | country of birth | birth place | 出生地点 | 出生地 ;; birth country | 籍贯
race text: race | 种族
height text: height | hgt | 身高
weight text: weight | wgt | 体重
eyes text: eyes | eye colour | eye color
hair text: hair | hair colour | hair color
address address: 住址 | 地址 | address | residential address | 居住地址 | 家庭住址 ;; 户籍地址 | 住所 | home address | residence address
id_number person: 公民身份号码 | 身份证号码 | 身份号码 | 身份证号 | 身份证编号 | id number | identity card number | hkid | card number | identity number | 证件号码 | id card number | id no | 证件编号 | personal number | document number | nric number | national id number | id. ;; 证号 | 号码 | citizen id number | hkid number | 身份证
issuer text: 签发机关 | issuing authority | issued by | authority | 发证机关 | 签发单位 ;; 发证单位
valid_period period: 有效期限 | 有效期 | period of validity | valid period | validity | 有效日期 | 证件有效期 ;; 有效期间 | validity period | valid through
valid_from date: 有效期起始 | 有效期自 | valid from ;; 有效期开始日期 | 生效日期 | 有效期起 | 起始日期
valid_to date: 有效期至 | 有效期限至 | valid until | date of expiry | expiry date | 有效期截止 | 届满日期 | valid thru | expires | expiration date | exp | exp date ;; 到期日 | 有效期止 | 失效日期 | 截止日期 | 到期日期
first_registered date: 首次登记日期 | date of first registration
issue_date date: 签发日期 | date of issue | issue date | 发证日期 | date issued | issued | iss ;; 签发日 | 登记日期 | date of registration
symbols text: 证件符号 | 符号 | symbols ;; 身份证符号
permit_number code: 通行证号码 | 换证次数 | 证件号 | permit number | 签发次数
""",
)

PASSPORT = vocabulary(
    "passport",
    "护照|passport|passeport|p<|country code|国家码|签发地点|place of birth|出生地点",
    """
passport_type code: 类型 | type
country_code text: 国家码 | country code | code of issuing state | issuing country | issuing state ;; 国家代码 | country
passport_number passport: 护照号码 | 护照号 | passport no | passport number | 护照编号 | document number ;; 证件号码 | 号码 | document no
name name: 姓名 | name ;; full name | 名字 | 中文姓名 | holder name
surname name: 姓 | surname | family name | 姓氏 ;; last name
given_names name: 名 | given names | given name | 名字 ;; first name | forenames | first names
gender gender: 性别 | sex | gender
nationality text: 国籍 | nationality
birth date: 出生日期 | date of birth | birth date ;; 生日 | 出生
birth_place text: 出生地点 | 出生地 | place of birth | birth place ;; 籍贯
issue_date date: 签发日期 | date of issue | issue date | issued on ;; 签发日 | 发证日期
valid_to date: 有效期至 | date of expiry | expiry date | date of expiration | 有效期限 ;; 有效期 | 到期日 | 失效日期 | valid until | expiration date
issue_place text: 签发地点 | place of issue | 签发地
issuer text: 签发机关 | authority | issuing authority | 签发机构 ;; 发证机关 | issued by
machine_zone text: 机读码 | machine readable zone | mrz ;; machine readable code
""",
)

DRIVING = vocabulary(
    "driving licence",
    "驾驶证|driving licence|driving license|准驾车型|driver license|初次领证|驾驶执照|driver's license|driver licence",
    """
name name: 姓名 | name | holder ;; full name | 驾驶人姓名 | 持证人
surname name: surname | last name | 姓 | family name | ln
given_names name: given names | first name | 名 | other names | fn
gender gender: 性别 | sex | gender
nationality text: 国籍 | nationality
address address: 住址 | address | 地址 ;; 住所
birth date: 出生日期 | date of birth | birthday | dob ;; 生日 | 出生
first_issue date: 初次领证日期 | date of first issue | first issue date ;; 初领日期 | 初次领证
class code: 准驾车型 | class | vehicle class | 车型 | categories ;; 驾照类型 | license class | 驾驶车型 | classes
valid_period period: 有效期限 | valid period | validity | 有效期 | period of validity ;; 有效期间
valid_from date: 有效起始日期 | valid from | 有效期起 ;; 生效日期
valid_to date: 有效期至 | valid to | valid until | expiry date | date of expiry | expires | exp | 到期日 ;; 有效期止 | expiration date | 截止日期
licence_number code: 证号 | licence number | license number | driving licence number | 驾驶证号 | 证件号码 | 执照号码 | dl no | dl ;; 驾照号 | 驾驶证编号 | 身份证号 | 驾驶证号码 | card number | driver license number
file_number digits: 档案编号 | file number | record number
issuer text: 发证机关 | issuing authority | issued by ;; 签发机关
issue_date date: issue date | date of issue | iss | 签发日期 | 发证日期
record text: 记录 | record
""",
)

VEHICLE = vocabulary(
    "vehicle licence",
    "行驶证|vehicle license|vehicle licence|车辆识别代号|发动机号码|使用性质|品牌型号|vehicle registration|登记文件|车辆登记|机动车",
    """
plate plate: 号牌号码 | plate no | 车牌号码 | 车牌号 | plate number | registration mark | 登记号码 | 车辆登记号码 | registration number ;; 车牌 | 号牌 | 车号 | license plate
vehicle_type text: 车辆类型 | vehicle type | 车种 | class of vehicle | 车型 ;; 车辆种类 | type
owner company: 所有人 | owner | 车主 | registered owner | 登记车主 | 机动车所有人 ;; 车辆所有人 | 所有者 | 车主姓名 | owner name
address address: 住址 | address | 地址 ;; 住所
use text: 使用性质 | use character | 用途
model text: 品牌型号 | model | 厂牌型号 | 型号 ;; 车辆型号 | 品牌 | make and model | 车型
vin code: 车辆识别代号 | vin | 车架号 | chassis number | 车辆识别代码 | 底盘号码 ;; 识别代号 | vehicle identification number | 车辆识别号
engine_number code: 发动机号码 | engine no | engine number | 发动机号 | 引擎号码 ;; 发动机编号
registered date: 注册日期 | register date | 登记日期 | registration date | date of first registration | 首次登记日期 ;; 注册登记日期
issue_date date: 发证日期 | issue date ;; 签发日期
issuer text: 发证机关 | issuing authority ;; 签发机关
file_number code: 档案编号 | file no
capacity text: 核定载人数 | approved passengers capacity | 座位数 | seating capacity ;; 载客人数 | 核载人数
gross_mass text: 总质量 | gross mass
curb_mass text: 整备质量 | unladen mass | curb weight
load_mass text: 核定载质量 | approved load
dimensions text: 外廓尺寸 | overall dimension
inspection text: 检验记录 | inspection record
remarks text: 备注 | remarks
colour text: 颜色 | colour | color | 车身颜色
""",
)

BANK_CARD = vocabulary(
    "bank card",
    "银联|unionpay|valid thru|借记卡|储蓄卡|信用卡|debit|visa|mastercard|月年|month/year|good thru|credit card",
    """
card_number card: 卡号 | card number | 银行卡号 | card no ;; 账号 | 号码 | 银行卡号码
bank text: 银行 | bank | 发卡行 | 银行名称 | 发卡银行 ;; bank name | 开户行 | issuing bank | issuer
valid_to text: 有效期 | valid thru | good thru | 有效期至 | expiry date | expires | month year | 月年 | valid until ;; expiry | 到期日 | 有效日期 | 有效期限 | expiration date | exp date
card_kind text: 卡种 | card type | 卡类型 | 卡片类型 ;; 卡类别 | 卡名 | card name | 银行卡类型
holder name: 持卡人 | cardholder | cardholder name | 姓名 | 持卡人姓名 | name ;; card holder name | holder
valid_from text: valid from | member since
organisation text: 卡组织 | network ;; 发卡组织 | card network | brand | 卡品牌
""",
)

NAME_CARD = vocabulary(
    "name card",
    "总监|经理|工程师|director|manager|engineer|mobile|手机|e-mail|www|consultant|首席|主任|董事|传真|partner|officer|founder|architect|designer|analyst|executive",
    """
name name: 姓名 | name ;; 名字 | full name | contact name | 联系人 | person name
english_name name: 英文名 | english name ;; 英文姓名 | name in english
title text: 职位 | 职务 | title | position | 职称 ;; job title | 头衔 | role | 岗位 | post
company company: 公司 | 公司名称 | company | 单位 | 工作单位 ;; company name | organisation | employer | 企业 | 机构 | 单位名称 | firm
department text: 部门 | department
mobile phone: 手机 | 移动电话 | mobile | cell | 手提 | 手机号码 | 手提电话 | m | 流动电话 | 行动电话 | mob | mobile phone ;; 手机号 | cell phone | mobile number | 联系方式 | 手提电话号码
phone phone: 电话 | tel | telephone | 直线 | 座机 | 总机 | t | direct line | office | direct | 办公电话 | 公司电话 ;; 固定电话 | phone number | office phone | 联系电话 | phone | 电话号码
fax phone: 传真 | fax | f | facsimile ;; fax number | 传真号码
email email: 邮箱 | 电子邮箱 | email | e-mail | 电邮 | 邮件 | e | 电子邮件 | mail ;; 邮箱地址 | email address | 电邮地址 | 电子邮件地址
website web: 网址 | 网站 | web | website | w | 主页 | 公司网址 | url ;; homepage | web site | 网页
address address: 地址 | 公司地址 | address | add | a | 办公地址 | 联系地址 ;; office address | company address | 单位地址
postcode digits: 邮编 | 邮政编码 | postcode | zip ;; zip code | postal code
wechat code: 微信 | wechat | 微信号 ;; wechat id
qq digits: qq
""",
)
