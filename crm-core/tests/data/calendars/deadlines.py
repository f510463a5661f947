"""Writes deadlines.tsv: situations chosen by hand, with due dates worked out without the engine.

    python deadlines.py > deadlines.tsv

Reads holidays.tsv. The rule, written out: what arrives on a day without business, or after the end of the last
interval of a business day, counts as received on the next business day. The days that count are listed: business
days (or all days) after the receipt, without those after the day of a notice up to and including that of its
completion. The due date is the one whose place in the list is the number of days of the law with the extension; if all
days count, the next day on the list that is a business day. With a notice that is not completed the list ends on its day.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

DAYS = [date(2015, 1, 1) + timedelta(days=n) for n in range(7670)]  # to 2035-12-31
LAWS = {
    "CO-GENERAL": 15, "CO-INFORMATION": 10, "CO-CONSULTATION": 30,
    "CO-GENERAL-2020": 30, "CO-INFORMATION-2020": 20, "CO-CONSULTATION-2020": 35,
    "CO-UTILITIES": 15, "CO-DATA-CONSULTATION": 10, "CO-DATA-CLAIM": 15,
}
ZONES = {"BR": "America/Sao_Paulo", "CO": "America/Bogota", "ES": "Europe/Madrid",
         "RU": "Europe/Moscow", "VE": "America/Caracas"}
NINE_TO_FIVE = "mon-fri 08:00-17:00"
SIESTA = "mon-thu 08:00-12:00 14:00-18:00; fri 07:00-12:00 13:00-15:30"
SATURDAYS = "mon-fri 08:00-12:00 13:00-17:00; sat 09:00-12:00"

OFF, ON = {}, {}
for line in Path(__file__).with_name("holidays.tsv").read_text().splitlines()[1:]:
    country, day, kind, _ = line.split("\t")
    (OFF if kind == "holiday" else ON).setdefault(country, set()).add(date.fromisoformat(day))


def closing(week):
    """The minute of closing by weekday; a weekday that is missing has none."""
    names, closes = "mon tue wed thu fri sat sun".split(), {}
    for part in week.split(";"):
        days, *intervals = part.split()
        first, last = (days.split("-") * 2)[:2]
        hours, minutes = intervals[-1].split("-")[1].split(":")
        for at in range(names.index(first), names.index(last) + 1):
            closes[at] = int(hours) * 60 + int(minutes)
    return closes


def due(calendar, zone, week, overrides, received, rule, pauses, extension):
    closes = closing(week)
    off, on = set(OFF.get(calendar, ())), set(ON.get(calendar, ()))
    for day, kind in overrides:
        (off if kind == "holiday" else on).add(day)
        (on if kind == "holiday" else off).discard(day)
    business = {d for d in DAYS if d in on or (d.weekday() in closes and d not in off)}

    local = received.astimezone(ZoneInfo(zone))
    day = local.date()
    hours = closes.get(day.weekday(), closes[max(w for w in closes if w <= day.weekday())])
    late = local.replace(tzinfo=None) > datetime(day.year, day.month, day.day) + timedelta(minutes=hours)
    if day not in business or late:
        day = min(d for d in business if d > day)

    def running(d):
        return not any(start < d and (end is None or d <= end) for start, end in pauses)

    if rule in LAWS:
        list_, days = [d for d in DAYS if d > day and d in business and running(d)], LAWS[rule]
    else:
        unit, days, start = rule.split(":")
        days = int(days)
        first = {"same_day": day, "next_day": day + timedelta(days=1),
                 "next_business_day": min(d for d in business if d > day)}[start]
        list_ = [d for d in DAYS if d >= first and running(d) and (unit == "calendar" or d in business)]
    place = days + extension - 1
    if place >= len(list_):
        return None
    return next((d for d in list_[place:] if d in business), None)


ROWS = []


def case(situation, calendar, local, rule, *, zone=None, week=NINE_TO_FIVE, overrides=(), pauses=(), extension=0):
    zone = zone or ZONES[calendar]
    received = datetime.fromisoformat(local)
    if received.tzinfo is None:
        received = received.replace(tzinfo=ZoneInfo(zone))
    day = date.fromisoformat
    changes = [(day(when), kind) for when, kind in overrides]
    stops = [(day(start), day(end) if end else None) for start, end in pauses]
    answer = due(calendar, zone, week, changes, received, rule, stops, extension)
    ROWS.append((
        received.isoformat(), zone, calendar, week, ",".join(f"{when} {kind}" for when, kind in overrides) or "-",
        rule, ",".join(f"{start}/{end}" for start, end in pauses) or "-", extension, answer or "-", situation,
    ))


def colombian_laws():
    receipts = [
        ("2026-03-10T10:00", "an ordinary Tuesday"),
        ("2026-03-13T16:59:59", "Friday, a second before closing"),
        ("2026-03-13T17:00", "Friday, at the moment of closing"),
        ("2026-03-13T17:00:01", "Friday, a second after closing"),
        ("2026-03-20T23:59:59", "Friday night before a moved Monday (Saint Joseph)"),
        ("2026-03-21T10:00", "Saturday before a moved Monday"),
        ("2026-03-23T10:00", "on a moved Monday itself"),
        ("2026-03-27T18:30", "Friday evening before Holy Week"),
        ("2026-04-01T10:00", "Wednesday of Holy Week"),
        ("2026-04-01T20:00", "Wednesday night of Holy Week"),
        ("2026-04-02T10:00", "Maundy Thursday"),
        ("2026-04-05T12:00", "Easter Sunday"),
        ("2026-06-05T09:00", "Friday before two moved Mondays in a row"),
        ("2026-07-10T21:00", "Friday night before the new holiday of Chiquinquirá"),
        ("2025-12-31T10:00", "31 December in the morning"),
        ("2025-12-31T23:59:59.999999", "the last microsecond of the year"),
        ("2026-01-01T00:00", "the first moment of the year"),
        ("2024-02-29T15:00", "29 February"),
    ]
    for rule in ("CO-GENERAL", "CO-INFORMATION", "CO-CONSULTATION", "CO-UTILITIES", "CO-DATA-CONSULTATION",
                 "CO-DATA-CLAIM"):
        for local, what in receipts:
            case(what, "CO", local, rule)


def emergency_of_2020():
    for rule, topic in (("GENERAL", 15), ("INFORMATION", 10), ("CONSULTATION", 30)):
        case("last Friday before the emergency's terms", "CO", "2020-03-27T10:00", f"CO-{rule}")
        case("Saturday on which the emergency's terms began", "CO", "2020-03-28T10:00", f"CO-{rule}-2020")
        case("in Holy Week of 2020", "CO", "2020-04-08T11:00", f"CO-{rule}-2020")
        case("last day of the emergency's terms", "CO", "2022-05-17T16:00", f"CO-{rule}-2020")
        case("after hours on their last day: the ordinary term", "CO", "2022-05-17T17:30", f"CO-{rule}")
        case("the day after them", "CO", "2022-05-18T08:00", f"CO-{rule}")
        case("extended to double during the emergency", "CO", "2021-12-30T10:00", f"CO-{rule}-2020",
             extension=LAWS[f"CO-{rule}-2020"])


def turns_of_the_year():
    for country in ZONES:
        for year in range(2015, 2035):
            rule = "CO-DATA-CONSULTATION" if country == "CO" else "business:10:next_business_day"
            case(f"30 December {year} in the evening", country, f"{year}-12-30T19:00", rule)


def easters():
    for country in ZONES:
        for wednesday in ("2016-03-23", "2018-03-28", "2019-04-17", "2022-04-13", "2024-03-27", "2027-03-24",
                          "2030-04-17", "2035-03-21"):
            case("Wednesday of Holy Week, half past five", country, f"{wednesday}T17:30", "business:5:next_business_day")


def two_intervals_a_day():
    for time, what in (("06:00", "before opening"), ("08:00", "at opening"), ("12:30", "between the intervals"),
                       ("15:30", "Friday's closing hour"), ("15:31", "a minute after Friday's closing"),
                       ("18:00", "the other days' closing"), ("18:01", "a minute after it")):
        case(f"Thursday, {what}", "CO", f"2026-10-08T{time}", "CO-INFORMATION", week=SIESTA)
        case(f"Friday before a holiday, {what}", "CO", f"2026-10-09T{time}", "CO-INFORMATION", week=SIESTA)
        case(f"Saturday, {what}", "VE", f"2026-02-14T{time}", "business:7:next_business_day", week=SATURDAYS)
        case(f"Saturday, {what}", "ES", f"2026-10-10T{time}", "business:7:next_business_day", week=SATURDAYS)


def zones():
    for instant, what in (("2026-03-27T21:30+00:00", "Friday evening in Europe, afternoon in America"),
                          ("2026-03-28T02:30+00:00", "Saturday in Europe, Friday night in America"),
                          ("2026-12-31T23:30+00:00", "New Year in Europe, 31 December in America"),
                          ("2026-03-29T00:59:59+00:00", "before the clocks change in Madrid"),
                          ("2026-10-25T01:30+00:00", "in the hour that Madrid has twice"),
                          ("2018-11-04T02:59:59+00:00", "before the midnight that São Paulo skipped"),
                          ("2018-11-04T03:00:00+00:00", "at the midnight that São Paulo skipped")):
        for country in ZONES:
            case(what, country, instant, "business:8:next_business_day")
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "Atlantic/Canary", "America/Noronha"):
        case("at an end of the world's clocks", "CO", "2026-06-12T11:00+00:00", "CO-INFORMATION", zone=zone)
        case("an office that never closes", "ES", "2026-06-12T23:59:59+00:00", "business:3:next_business_day",
             zone=zone, week="mon-fri 00:00-24:00")


def pauses():
    def paused(what, local, rule, *stops, calendar="CO", **more):
        case(what, calendar, local, rule, pauses=stops, **more)

    for rule in ("CO-GENERAL", "CO-INFORMATION", "CO-UTILITIES", "CO-DATA-CLAIM"):
        paused("a pause over Holy Week", "2026-03-24T10:00", rule, ("2026-03-30", "2026-04-06"))
        paused("a pause that ends on Maundy Thursday", "2026-03-24T10:00", rule, ("2026-03-27", "2026-04-02"))
        paused("a pause that ends on a Sunday", "2026-03-24T10:00", rule, ("2026-03-27", "2026-04-12"))
        paused("a notice on a holiday", "2026-05-28T10:00", rule, ("2026-06-08", "2026-06-15"))
        paused("notice and completion on one day", "2026-05-28T10:00", rule, ("2026-06-03", "2026-06-03"))
        paused("a notice on the day of receipt", "2026-05-28T10:00", rule, ("2026-05-28", "2026-06-01"))
        paused("a pause over the turn of the year", "2025-12-18T10:00", rule, ("2025-12-23", "2026-01-13"))
        paused("a pause over a month of holidays", "2025-05-30T10:00", rule, ("2025-06-03", "2025-07-01"))
        paused("two pauses", "2026-02-02T10:00", rule, ("2026-02-04", "2026-02-09"), ("2026-02-12", "2026-03-02"))
        paused("pauses that overlap, given out of order", "2026-02-02T10:00", rule, ("2026-02-12", "2026-02-20"),
               ("2026-02-06", "2026-02-16"))
        paused("not completed", "2026-03-24T10:00", rule, ("2026-03-27", ""))
        paused("completed once, not the second time", "2026-03-24T10:00", rule, ("2026-03-26", "2026-03-30"),
               ("2026-04-06", ""))
        paused("a notice after the term is over", "2026-03-02T10:00", rule, ("2026-03-27", ""))
        paused("a notice on the last day", "2026-02-02T10:00", rule, ("2026-02-13", "2026-02-18"), ("2026-02-23", ""))
    paused("after Carnival", "2026-02-12T10:00", "business:5:next_business_day", ("2026-02-13", "2026-02-17"),
           calendar="VE")
    paused("over the May holidays", "2025-04-28T10:00", "business:5:next_business_day", ("2025-04-30", "2025-05-10"),
           calendar="RU")
    paused("over the Constitution's bridge", "2025-12-03T10:00", "business:5:next_business_day",
           ("2025-12-04", "2025-12-08"), calendar="ES")
    paused("over Tiradentes", "2026-04-17T10:00", "business:5:next_business_day", ("2026-04-17", "2026-04-21"),
           calendar="BR")


def extensions():
    for rule, most in (("CO-GENERAL", 15), ("CO-INFORMATION", 10), ("CO-CONSULTATION", 30),
                       ("CO-DATA-CONSULTATION", 5), ("CO-DATA-CLAIM", 8)):
        for days in (1, most // 2, most):
            case(f"extended by {days}", "CO", "2026-03-09T09:00", rule, extension=days)
            case(f"extended by {days} over the turn of the year", "CO", "2026-12-10T17:01", rule, extension=days)
        case("extended and paused", "CO", "2026-06-01T09:00", rule, extension=most,
             pauses=[("2026-06-05", "2026-06-16")])


def calendar_days():
    for start in ("same_day", "next_day", "next_business_day"):
        for country, local in (("CO", "2026-03-27T10:00"), ("ES", "2026-03-27T10:00"), ("BR", "2026-11-18T10:00"),
                               ("RU", "2025-12-30T10:00"), ("VE", "2026-02-13T10:00")):
            for days in (1, 8, 30):
                case(f"all days count, {start}", country, local, f"calendar:{days}:{start}")
        case("all days count, paused over the last one", "CO", "2026-03-16T10:00", f"calendar:10:{start}",
             pauses=[("2026-03-24", "2026-04-01")])
        case("the last day has no business and a pause follows it", "CO", "2026-03-16T10:00", f"calendar:12:{start}",
             pauses=[("2026-03-28", "2026-04-01")])
        case("the last day has no business and a pause without an end follows", "CO", "2026-03-16T10:00",
             f"calendar:12:{start}", pauses=[("2026-03-28", "")])
        case("business days, " + start, "CO", "2026-03-31T12:00", f"business:3:{start}")
        case("business days, a receipt at night, " + start, "CO", "2026-03-31T22:00", f"business:3:{start}")


def exchanged_days():
    for local in ("2024-04-26T10:00", "2024-04-26T17:30", "2024-04-27T10:00", "2024-04-27T17:30", "2024-11-01T18:00",
                  "2024-11-02T12:00", "2024-12-27T16:00", "2024-12-28T18:00", "2018-12-28T10:00", "2021-02-19T10:00"):
        case("near a Saturday that a decree made a working day", "RU", local, "business:4:next_business_day")


def overrides():
    closed = [("2026-03-30", "holiday"), ("2026-03-31", "holiday"), ("2026-04-01", "holiday")]
    case("an office closed for the whole of Holy Week", "CO", "2026-03-25T10:00", "CO-INFORMATION", overrides=closed)
    case("received while the office was closed", "CO", "2026-03-31T10:00", "CO-INFORMATION", overrides=closed)
    works = [("2026-04-02", "working"), ("2026-04-11", "working")]
    case("an office that works on Maundy Thursday and a Saturday", "CO", "2026-03-30T10:00", "CO-INFORMATION",
         overrides=works)
    case("received on that Saturday, in time", "CO", "2026-04-11T16:00", "CO-INFORMATION", overrides=works)
    case("received on that Saturday, after hours", "CO", "2026-04-11T17:30", "CO-INFORMATION", overrides=works)
    case("a calendar without a country", "-", "2026-03-31T10:00", "business:5:next_business_day",
         zone="Asia/Kathmandu", overrides=[("2026-04-03", "holiday")])
    case("carnival taken off in Brazil", "BR", "2026-02-13T10:00", "business:5:next_business_day",
         overrides=[("2026-02-16", "holiday"), ("2026-02-17", "holiday")])
    case("a decreed day undone", "RU", "2025-12-29T10:00", "business:3:next_business_day",
         overrides=[("2025-12-31", "working")])


for situations in (colombian_laws, emergency_of_2020, turns_of_the_year, easters, two_intervals_a_day, zones, pauses,
                   extensions, calendar_days, exchanged_days, overrides):
    situations()

print("# received_at", "zone", "calendar", "week", "overrides", "rule", "pauses", "extension", "due_on", "situation",
      sep="\t")
for row in ROWS:
    print(*row, sep="\t")
