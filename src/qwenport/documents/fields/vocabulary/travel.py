"""Train tickets, flight itineraries, taxi and coach tickets, hotel folios, toll receipts."""

# ruff: noqa: E501 - a line of the table is a field

from __future__ import annotations

from qwenport.documents.fields.vocabulary.concept import vocabulary

TRAIN = vocabulary(
    "train ticket",
    "限乘当日|当日当次车|铁路电子客票|检票|二等座|一等座|硬座|硬卧|火车票|12306|中国铁路|退票费|仅供报销使用|始发改签|铁路|候车|高铁|train ticket",
    """
ticket_number digits: 发票号码 | 车票号 | 票号 | 客票号 | 火车票号 | invoice number | ticket number ;; 号码 | 票据号码 | 车票号码 | 红色编号 | 序列号 | ticket id | 发票号
electronic_ticket_number digits: 电子客票号 | 客票号码 | e-ticket number ;; 电子票号
train_number train: 车次 | 列车号 | 列车车次 | 车次号 | train no | train number | train ;; 列车 | 班次 | train code | 车号
from_station station: 起始站 | 出发站 | 始发站 | 发站 | 上车站 | 乘车站 | from | departure station | origin station | 出发车站 ;; 出发地 | 起点站 | 始发地 | 起点 | 始发车站 | 起始车站 | 出发 | departure | origin | start station | starting station | from station | station from | departure city | 起站 | 出发城市 | 发车站 | boarding station
to_station station: 终点站 | 到达站 | 到站 | 目的站 | 下车站 | to | arrival station | destination station | 到达车站 ;; 到达地 | 目的地 | 终到站 | 终点 | 抵达站 | 终点车站 | 到达 | arrival | destination | end station | terminal station | to station | station to | arrival city | 止站 | 到达城市
departure_datetime datetime: 发车日期和时间点 | 乘车日期 | 发车时间 | 出发时间 | 开车时间 | 乘车时间 | 乘车日期时间 | departure time | departure date and time | 日期时间 | 发车日期时间 | 开车日期 | travel date ;; 发车日期和时间 | 出发日期和时间 | 出发日期时间 | 发车日期及时间 | 开车日期时间 | 日期和时间 | 日期及时间 | 时间 | datetime | departure datetime | date and time | 发车日期与时间 | 开车日期和时间 | date time
departure_date date: 发车日期 | 乘车日期 | 出发日期 | 日期 | 开车日期 | date of travel | departure date | travel date | date ;; 乘车日 | 车票日期 | journey date
departure_time time: 发车时间 | 出发时间 | 开车时间 | 开点 | departure time | time ;; 发车时刻 | 开车时刻 | 开车点
seat seat: 座位号 | 席位号 | 座号 | 席位 | 座位 | 车厢座位 | seat | seat number | coach and seat | 车厢及座位 | 席号 ;; 座位编号 | 车厢座位号 | 车厢号座位号 | 车厢和座位 | coach seat | seat no | 车厢座位信息 | 铺位 | 席位信息
coach seat: 车厢 | 车厢号 | coach | carriage ;; car number
seat_class class: 席别 | 座位等级 | 席别类型 | 座席类别 | 席位类型 | class | seat class | seat type ;; 座位类型 | 座席类型 | 座位类别 | 席别等级 | 座席 | 座席等级 | 座等 | 席座 | 等级 | 舱位 | travel class | 坐席类型 | 坐席类别 | 席位等级 | 座席别
price money: 票价 | 金额 | 票价金额 | 车票价格 | 价格 | fare | price | ticket price | amount ;; 总价 | 价钱 | ticket fare | 车票金额 | 车费 | total | total price | 费用 | 票面价格 | 票面金额 | total amount
id_number person: 身份证号码 | 身份证号 | 证件号码 | 证件号 | 身份证件号码 | id number | id card number | id no ;; 身份证 | 乘客身份证号 | 旅客证件号 | 旅客身份证号 | passenger id | 购票人身份证号 | passenger id number | 证件
passenger name: 购票人姓名 | 乘车人 | 姓名 | 旅客姓名 | 乘客姓名 | 乘车人姓名 | passenger | passenger name | name ;; 购票人 | 乘客 | 旅客 | 持票人 | 车票人姓名 | 名字 | 乘客名 | passengers | traveller | traveler
gate text: 检票口 | 检票 | 检票处 | 候车室 | gate | ticket gate ;; 检票口号 | check-in gate | boarding gate
issue_date date: 开票日期 | 售票日期 | 打印日期 | issue date | date of issue
order_number digits: 订单号 | 售票号 | order number
ticket_kind text: 票种 | 票型 | ticket type
""",
)

FLIGHT = vocabulary(
    "air itinerary",
    "航空运输电子客票行程单|行程单|民航|机场|航班|填开单位|承运人|燃油附加费|民航发展基金|boarding pass|itinerary|flight|登机牌|airlines|机票|登机口|航空",
    """
passenger name: 旅客姓名 | 乘机人 | name of passenger | passenger name | 姓名 | 乘客姓名 | 旅客 | passenger | name | 乘机人姓名 | 乘客 ;; traveller name | traveler | 乘客名
id_number person: 有效身份证件号码 | 证件号码 | 身份证号码 | id no | 身份证件号 | id number | identity number ;; 身份证号 | 证件号 | passport number | 护照号
from_station text: 始发地 | 自 | from | 出发地 | 出发站 | 始发站 | 出发城市 | 起飞机场 | departure airport | origin | 起飞地 | 出发机场 | departure | departing ;; departure city | 起点 | 始发城市 | 起始地 | 起始站 | 出发 | from city | from airport | 起飞城市
to_station text: 目的地 | 至 | to | 到达地 | 到达站 | 到达城市 | 降落机场 | arrival airport | destination | 抵达地 | 到达机场 | arrival | arriving ;; arrival city | 终点 | 目的城市 | 终点站 | 到达 | to city | to airport
carrier text: 承运人 | carrier | 航空公司 | airline | operated by
flight_number flight: 航班号 | 航班 | flight | flight number | flt no ;; 航班编号 | flight code | 班次
seat_class text: 座位等级 | 舱位等级 | 舱位 | class | cabin class | cabin | 舱级 | 座舱等级 ;; 席别 | travel class | 客舱 | 座位类型 | 舱等
flight_date date: 日期 | 乘机日期 | date | 航班日期 | flight date | 出发日期 | 起飞日期 | departure date ;; travel date | 乘机日 | date of travel | date of flight
flight_time time: 时间 | 起飞时间 | time | departure time | 出发时间 | std | departure | departs | dep ;; 航班时间 | take-off time
arrival_time time: 到达时间 | 抵达时间 | arrival time | sta | 降落时间 | arrival | arrives | arr
boarding_time time: 登机时间 | boarding time | boarding
gate code: 登机口 | gate | boarding gate
seat seat: 座位号 | 座位 | seat | seat number
sequence code: 序号 | 登机序号 | seq no | sequence
fare_basis code: 客票级别 | 客票类别 | 客票级别客票类别 | fare basis
baggage text: 免费行李 | allow | baggage | free baggage allowance | baggage allowance | 行李 | 行李额
fare money: 票价 | fare | 机票价格 | air fare | base fare | 机票款 ;; 票面价
fund money: 民航发展基金 | caac development fund | 机场建设费 | 机建 | development fund | 机建费 | airport tax | 基建
fuel money: 燃油附加费 | fuel surcharge | 燃油费 | 燃油
other_taxes money: 其他税费 | other taxes | 税费 | taxes | tax
total money: 合计 | total | 合计金额 | 总额 | total amount | 总计 | 总金额 | total fare ;; 金额 | 总价 | amount | 票价合计 | total price
ticket_number digits: 电子客票号码 | e-ticket no | 客票号 | 票号 | 电子客票号 | ticket number | e-ticket number | eticket no | etkt ;; 机票号 | 客票号码 | 电子票号
check_code digits: 验证码 | ck | check code | 校验码
serial_number digits: 印刷序号 | serial number | serial no
insurance text: 保险费 | insurance
agent_code code: 销售单位代号 | 销售网点代号 | agent code | 销售单位
issuer company: 填开单位 | issued by | 开票单位
issue_date date: 填开日期 | date of issue | 开票日期 | issue date
booking_reference code: 订座记录 | pnr | booking reference | booking ref | confirmation number | record locator | 记录编号 | 预订编号
remarks text: 签注 | endorsements restrictions | remarks
invoice_number digits: 发票号码 | 号码 | invoice number
""",
)

TAXI = vocabulary(
    "taxi ticket",
    "出租车|出租汽车|的士|上车|下车|里程|等候|单价|车号|taxi|客运出租|燃油附加|计程车|候时",
    """
invoice_code digits: 发票代码 | 代码 | invoice code
invoice_number digits: 发票号码 | 号码 | 发票号 | invoice number | receipt number
plate plate: 车号 | 车牌号 | 车牌号码 | 车牌 | taxi no | plate number | vehicle number | car no | 车辆号码 | licence plate | 的士车牌 | taxi number | 车辆号牌 ;; license plate | plate | vehicle registration mark
driver_certificate code: 证号 | 资格证号 | 服务证号 | 从业资格证号 | 监督卡号 | 工号 | driver no | driver id | 司机编号 ;; 司机证号 | 准驾证号
date date: 日期 | 乘车日期 | date | 营运日期 | trip date ;; 开票日期
boarding_time time: 上车时间 | 上车 | 开始时间 | start time | on time | time on | start | pick-up time | 上客时间 ;; 乘车时间 | pickup time | boarding time
alighting_time time: 下车时间 | 下车 | 结束时间 | end time | off time | time off | end | drop-off time | 落客时间 ;; dropoff time | alighting time
times text: 时间 | 上下车时间 | time ;; 起止时间
unit_price money: 单价 | 每公里单价 | unit price | rate | 单价元公里
distance quantity: 里程 | 公里 | 计程里程 | distance | total km | mileage | 里程公里 | paid km | 行程 ;; 行驶里程 | kilometres | kilometers
waiting text: 等候 | 等候时间 | 候时 | waiting | waiting time | wait time | 等候时长
surcharge money: 附加费 | 燃油附加费 | surcharge | extras | 附加
toll money: 过路费 | 路桥费 | toll | 隧道费
amount money: 金额 | 实收金额 | 合计 | 总额 | 实付 | total | total fare | amount | fare | 实收 | 车费 | 收费 | 总车费 | 应付 | 合计金额 ;; 总金额 | 总计 | 票价 | 打车金额 | total amount
state text: 状态
phone phone: 电话 | 监督电话 | 投诉电话 | 电召电话 | 服务电话 | tel ;; 联系电话
company company: 单位 | 公司 | 公司名称 | company
code code: 密码 | 校验码 | 防伪码
location text: 上车地点 | pick up | pick-up | 起点
destination text: 下车地点 | drop off | drop-off | 终点
payment text: 付款方式 | 支付方式 | payment method
""",
)

TOLL = vocabulary(
    "toll receipt",
    "通行费|高速公路|收费站|入口|出口|收费员|车型|过路费|通行|toll",
    """
invoice_code digits: 发票代码 | 代码
invoice_number digits: 发票号码 | 号码
entry text: 入口 | 入口站 | 入口站名 | 入站 | 入口收费站 | entry | 入口名称 ;; 入口地点
exit text: 出口 | 出口站 | 出口站名 | 出站 | 出口收费站 | exit | 收费站 | 出口名称 ;; 出口地点
vehicle_kind text: 车型 | 车种 | 车类 | vehicle class | 车辆类型 | 类型 | 车型车种
plate plate: 车牌号 | 车牌号码 | 车牌 | 车号
weight text: 车重 | 总重 | 吨位
collector text: 收费员 | 工号 | 收费员号 | collector
amount money: 金额 | 实收金额 | 通行费 | 收费金额 | 通行费金额 | 实收 | amount | 金额小写 ;; 票价 | 价税合计 | 过路费
datetime datetime: 时间 | 日期时间 | 出口时间 | 通行时间 | 日期 | 收费时间 ;; 日期和时间
date date: 日期 | 通行日期 | 出口日期
time time: 时间 | 出口时间
date_from date: 通行日期起 | 通行日期自
date_to date: 通行日期止 | 通行日期至
payment text: 支付方式 | 付款方式
""",
)

COACH = vocabulary(
    "coach ticket",
    "汽车票|客运站|公路客运|乘车站|汽车客票|班次|bus ticket|coach|ferry|船票|客运",
    """
invoice_code digits: 发票代码
ticket_number digits: 票号 | 发票号码 | 客票号 | ticket number
service_number code: 班次 | 车次 | 航次 | service number | trip number
from_station text: 乘车站 | 始发站 | 起点站 | 发站 | 上车站 | from | 出发站 ;; 起始站 | 出发地 | departure
to_station text: 到达站 | 终点站 | 到站 | 下车站 | to ;; 目的地 | 到达地 | arrival | destination
date date: 乘车日期 | 发车日期 | 日期 | date | 开车日期 ;; 出发日期
time time: 开车时间 | 发车时间 | 时间 | departure time | 开车时刻 ;; 出发时间
seat text: 座位号 | 座号 | seat | 座位
price money: 票价 | 全价 | fare | price | 金额
gate text: 检票口 | 上车口 | gate
passenger name: 姓名 | 旅客姓名 | 乘客姓名 | passenger | 乘车人
id_number person: 身份证号 | 证件号码 | id number
vehicle_kind text: 车型 | 车辆类型
""",
)
