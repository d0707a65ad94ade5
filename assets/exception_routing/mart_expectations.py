"""What must be true of the marts of cases before anybody is shown them.

Hours, rates and amounts are in whole ten-thousandths.
"""

from __future__ import annotations

from assets.ports import FLOWS
from assets.quality_gate import Suite, between, holds, is_true, not_less, one_of, unique

OWNER = "operations"
LARGEST_COUNT = 10**9
AGES = (
    "under_4_hours_count",
    "from_4_to_24_hours_count",
    "from_1_to_3_days_count",
    "from_3_to_7_days_count",
    "over_7_days_count",
)
ENDS = ("closed_in_time_count", "closed_late_count", "open_in_time_count", "open_overdue_count")
_FLOW_IS_KNOWN = one_of(
    "flow_is_known", "flow", ("order_to_fulfillment", *FLOWS), "nobody knows this flow"
)

OPEN_EXCEPTIONS = Suite(
    name="open_exceptions",
    owner=OWNER,
    required=(
        "case_id",
        "case_type",
        "flow",
        "owner",
        "opened_at",
        "open_hours",
        "case_agrees",
    ),
    optional=("due_at", "value_at_risk", "currency_code"),
    said=(
        _FLOW_IS_KNOWN,
        between("time_does_not_run_backwards", "open_hours", 0, 10**15, "open before it began"),
        holds(
            "money_has_its_currency",
            ("value_at_risk",),
            lambda rows: rows["currency_code"].notna(),
            "a value without its currency",
        ),
        unique("case_is_there_once", ("case_id",), "one case has two rows"),
        is_true("case_agrees", "no such case is open"),
    ),
    blocks_by=("case_id",),
)

EXCEPTION_BACKLOG_AGING = Suite(
    name="exception_backlog_aging",
    owner=OWNER,
    required=(
        "owner",
        "case_type",
        "severity",
        "currency_code",
        "open_count",
        "overdue_count",
        *AGES,
        "backlog_agrees",
    ),
    optional=(),
    said=(
        between("cases_are_counted", "open_count", 1, LARGEST_COUNT, "a row without a case"),
        not_less("no_more_late_than_open", "open_count", "overdue_count", "more late than open"),
        holds(
            "every_case_has_one_age",
            ("open_count", *AGES),
            lambda rows: rows[list(AGES)].sum(axis=1) == rows["open_count"],
            "the ages do not add up to the cases",
        ),
        unique(
            "row_is_there_once",
            ("owner", "case_type", "severity", "currency_code"),
            "one kind of case has two rows",
        ),
        is_true("backlog_agrees", "another number of cases is open in this queue"),
    ),
    blocks_by=("owner",),
)

SERVICE_LEVEL_ADHERENCE = Suite(
    name="service_level_adherence",
    owner=OWNER,
    required=(
        "owner",
        "case_type",
        "service_level",
        "month_start_date",
        "case_count",
        *ENDS,
        "in_time_rate",
        "median_open_hours",
        "p95_open_hours",
    ),
    optional=(),
    said=(
        between("cases_are_counted", "case_count", 1, LARGEST_COUNT, "a row without a case"),
        between("rate_is_a_share", "in_time_rate", 0, 10_000, "a rate outside 0 to 1"),
        holds(
            "every_case_is_in_time_or_not",
            ("case_count", *ENDS),
            lambda rows: rows[list(ENDS)].sum(axis=1) == rows["case_count"],
            "the parts do not add up to the cases",
        ),
        not_less("p95_is_not_below_the_median", "p95_open_hours", "median_open_hours", "p95 below"),
        unique(
            "row_is_there_once",
            ("owner", "case_type", "service_level", "month_start_date"),
            "one month has two rows",
        ),
    ),
    blocks_by=("owner",),
)

DELAY_COST = Suite(
    name="delay_cost",
    owner=OWNER,
    required=(
        "flow",
        "owner",
        "case_type",
        "month_start_date",
        "case_count",
        "open_hours",
        "late_hours",
        "delay_cost",
        "late_cost",
        "playbook_cost",
    ),
    optional=(),
    said=(
        _FLOW_IS_KNOWN,
        between("cases_are_counted", "case_count", 1, LARGEST_COUNT, "a row without a case"),
        between("cost_is_not_negative", "delay_cost", 0, 10**17, "delay that earns money"),
        between("playbooks_earn_nothing", "playbook_cost", 0, 10**17, "a playbook that earns"),
        not_less("late_is_part_of_open", "open_hours", "late_hours", "late for longer than open"),
        not_less("late_cost_is_part_of_it", "delay_cost", "late_cost", "late costs more than all"),
        unique(
            "row_is_there_once",
            ("flow", "owner", "case_type", "month_start_date"),
            "one month has two rows",
        ),
    ),
    blocks_by=("owner",),
)
