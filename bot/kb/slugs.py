"""The topic slugs others rely on (exports, question files), with their Chinese names."""

from __future__ import annotations

from collections.abc import Mapping

ITEM_QUESTIONS = "waste.item"
OUT_OF_SCOPE = "out_of_scope"

TOPIC_NAMES: Mapping[str, str] = {
    "sort_four_bins": "四类四桶",
    "sort_city_names": "各城市叫法",
    "sort_penalty": "分类处罚",
    "sort_break_bag": "湿垃圾破袋",
    "sort_mixed_truck": "混装混运",
    "sort_why": "分类的意义",
    "sort_prep_recycle": "可回收物怎么准备",
    "sort_hazard_prep": "有害垃圾怎么投",
    "sort_points": "积分与绿色账户",
    "battery_dry": "普通干电池",
    "battery_button_rechargeable": "纽扣与充电电池",
    "battery_ebike": "电动车电池",
    "lamp": "灯管灯泡",
    "medicine_expired": "过期药品",
    "mercury_thermometer": "水银温度计",
    "cooking_oil": "家庭废食用油",
    "range_hood_oil_cup": "油烟机油与集油杯",
    "bulky_waste": "大件垃圾",
    "construction_waste": "装修垃圾",
    "ewaste": "旧家电",
    "clothes_recycle": "旧衣回收",
    "green_tree_trim": "修剪树木",
    "green_tree_cut": "砍树移树",
    "green_plot_veg": "绿地种菜与圈占",
    "green_care_rules": "绿化养护与行为",
    "green_adopt_volunteer": "认养与志愿者",
    "energy_saving": "节能",
    "water_saving": "节水",
    "noise": "噪声",
    "small_ads": "小广告",
    "drains_rain_sewage": "雨污分流与下水道",
    "env_days": "环境日",
    "plastic_free": "限塑",
    "clean_plate": "光盘行动",
    "smoke_free": "控烟",
    "green_community": "绿色社区创建",
    "compost": "堆肥",
    "pets_waste": "宠物",
    "battery_box_where": "电池回收箱在哪",
    "facility_where": "其他设施在哪",
    "sort_time_place": "投放点与时段",
    "sort_late_drop": "误时投放",
    "activity_when": "活动时间地点",
    "green_schedule": "修剪打药日程",
    "local_contact": "电话与办公时间",
}
"""slug → name, of every topic that needs a file in knowledge/topics/."""

ALL_NAMES: Mapping[str, str] = {ITEM_QUESTIONS: "物品分类", OUT_OF_SCOPE: "与环保无关", **TOPIC_NAMES}
"""Also those that need none."""

FACILITY_KINDS = (
    "battery_box", "drop_point", "late_drop", "bulky", "construction", "clothes", "hazardous", "medicine", "oil_cup",
    "recyclables", "ebike_battery", "points",
)  # fmt: skip
"""Kinds of facilities that questions can be answered about."""
