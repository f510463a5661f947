"""Writes holidays.tsv: what the Python package `holidays` says of five countries, 2015 to 2035.

    pip install holidays==0.109
    python holidays.py > holidays.tsv

The oracle of the built-in calendars: the national, public holidays in each country's own language, and the days
of rest that became working days. Columns: country, date, kind (holiday or working), name.
"""

import sys

sys.path.pop(0)  # this file has the package's name
import holidays  # noqa: E402

print(f"# holidays {holidays.__version__}")
for code in ("BR", "CO", "ES", "RU", "VE"):
    country = getattr(holidays, code)
    days = country(years=range(2015, 2036), language=country.default_language)
    rows = [(day, "holiday", name) for day, name in days.items()]
    rows += [(day, "working", "") for day in days.weekend_workdays]
    for day, kind, name in sorted(rows):
        print(code, day, kind, name, sep="\t")
